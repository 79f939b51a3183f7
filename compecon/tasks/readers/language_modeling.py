"""Running text for causal models: WikiText-2 and WikiText-103 as they are, and a small mix of several sources.

WikiText's spelling (" @-@ ", blanks before punctuation) is left alone, so that a perplexity compares with published
ones of the same splits; a document counts its words as the data set does, line ends left out. WikiText-103's valid and
test articles are those of WikiText-2.

Data folder of the mix; of the training sources some may be absent, every 20th document of them is "dev":

    brown/brown.zip              the Brown corpus, one tagged file a document
    wikitext2/valid.txt          WikiText-2 tokens; sentences with <unk> are left out
    tinystories_sample/*.txt     plain stories
    wikitext2_raw/wiki.test.raw  WikiText-2 raw test articles: "test"
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path

from compecon.tasks.language_task import Document, Documents, LanguageTask
from compecon.tasks.readers.hub_tables import HUB_SPLITS, load_tables

WIKITEXTS: Mapping[str, str] = {"wikitext-2": "wikitext2_raw", "wikitext-103": "wikitext103_raw"}
_FILES = {"train": "wiki.train.raw", "dev": "wiki.valid.raw", "test": "wiki.test.raw"}
_DEV_EVERY = 20
_HUB_STORIES = 20_000
_HEADING = re.compile(r"^ = [^=].*[^=] = $", re.MULTILINE)


def read_corpus(folder: Path) -> LanguageTask:
    """The mix of a data folder; FileNotFoundError if there are too few training documents, or no test articles."""
    brown = list(_brown(folder / "brown" / "brown.zip"))
    wiki = [plain(_known(article)) for article in _articles(folder / "wikitext2" / "valid.txt")]
    stories = [plain(p.read_text(encoding="utf-8")) for p in sorted((folder / "tinystories_sample").glob("*.txt"))]
    texts = _documents(brown + wiki + stories)
    if len(texts) <= _DEV_EVERY:
        raise FileNotFoundError(
            f"{len(texts)} training texts in {folder}, expected more than {_DEV_EVERY} of brown, wikitext2 and "
            "tinystories_sample."
        )
    test = _articles(folder / "wikitext2_raw" / "wiki.test.raw")
    if not test:
        raise FileNotFoundError(f"no test articles in {folder}: expected wikitext2_raw/wiki.test.raw.")
    train = tuple(text for i, text in enumerate(texts) if i % _DEV_EVERY)
    splits = {"train": train, "dev": texts[::_DEV_EVERY], "test": tuple(map(_article, test))}
    return LanguageTask("corpus", splits)


def hub_corpus() -> LanguageTask:
    """WikiText-2 raw (`Salesforce/wikitext`) and some of the two million TinyStories (`roneneldan/TinyStories`)."""
    wiki = load_tables("Salesforce/wikitext", "wikitext-2-raw-v1")
    split = {
        name: _split_articles("".join(row["text"] for row in wiki[name])) for name in ("train", "validation", "test")
    }
    tales = islice(load_tables("roneneldan/TinyStories", streaming=True)["train"], _HUB_STORIES)
    train = [plain(article) for article in split["train"]] + [row["text"].strip() for row in tales]
    dev, test = (tuple(map(_article, split[name])) for name in ("validation", "test"))
    return LanguageTask("corpus", {"train": _documents(train), "dev": dev, "test": test})


def read_wikitext(folder: Path, name: str) -> LanguageTask:
    """A WikiText (one of `WIKITEXTS`) of a data folder, with the splits that are there.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If a file holds no article.
    """
    home = folder / WIKITEXTS[name]
    paths = {split: home / file for split, file in _FILES.items() if (home / file).is_file()}
    if not paths:
        raise FileNotFoundError(f"none of {', '.join(_FILES.values())} in {home}.")
    return LanguageTask(
        name, {split: _spelled(path.read_text(encoding="utf-8"), str(path)) for split, path in paths.items()}
    )


def hub_wikitext(name: str) -> LanguageTask:
    """A WikiText (one of `WIKITEXTS`) from `Salesforce/wikitext` (field text, a line per row)."""
    tables = load_tables("Salesforce/wikitext", f"{name}-raw-v1")
    return LanguageTask(
        name,
        {ours: _spelled("".join(tables[theirs]["text"]), f"{name} {theirs}") for ours, theirs in HUB_SPLITS.items()},
    )


def _spelled(text: str, where: str) -> Documents:
    articles = _split_articles(text)
    if not articles:
        raise ValueError(f"no article in {where}: expected titles as ' = Title = ' on lines of their own.")
    return tuple(Document(article.strip(), len(article.split())) for article in articles)


def plain(text: str) -> str:
    """Undo corpus spelling: TeX quotes, split hyphens, blank lines, blanks before punctuation and inside quotes.

    Examples:
        >>> plain('He said , " This is a 16 @-@ bit machine ( a small one ) . "')
        'He said, "This is a 16-bit machine (a small one)."'
    """
    text = re.sub(r" @(.)@ ", r"\1", text.replace("``", '"').replace("''", '"'))
    text = re.sub(r'" ([^"\n]*?) "', r'"\1"', text)
    text = re.sub(r'(^|\s)" (?=[^"\n]*")|(?<=\S) "(?=\s|$)', lambda m: f'{m[1] or ""}"', text)
    text = re.sub(r"([(\[{$£]) ", r"\1", text)
    text = re.sub(r" (?=[.,;:!?)\]}%]|n?'(?:[a-z]{1,2}\b|\s))", "", text)
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def _documents(texts: Sequence[str]) -> Documents:
    return tuple(Document(text, len(re.findall(r"\w+|[^\w\s]", text))) for text in texts if text)


def _article(article: str) -> Document:
    return Document(plain(article), len(article.split()))


def _articles(path: Path) -> list[str]:
    return _split_articles(path.read_text(encoding="utf-8")) if path.is_file() else []


def _split_articles(text: str) -> list[str]:
    """The articles of a WikiText file, each from its title on; what is before the first title is left out."""
    starts = [match.start() for match in _HEADING.finditer(text)] + [len(text)]
    return [text[begin:end] for begin, end in pairwise(starts)]


def _known(article: str) -> str:
    """The sentences without <unk>: a model must not learn to write it."""
    lines = ([s for s in line.split(" . ") if "<unk>" not in s] for line in article.split("\n"))
    return "\n".join(" . ".join(sentences) for sentences in lines)


def _brown(path: Path) -> Iterator[str]:
    if not path.is_file():
        return
    with zipfile.ZipFile(path) as archive:
        for name in sorted(n for n in archive.namelist() if re.fullmatch(r"brown/c[a-r]\d\d", n)):
            lines = archive.read(name).decode("ascii").split("\n")
            words = (" ".join(token.rsplit("/", 1)[0] for token in line.split()) for line in lines)
            yield plain("\n".join(line for line in words if line))
