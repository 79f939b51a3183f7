"""WikiText-2 and WikiText-103, raw: one document an article, spelled as the data set spells it.

What a data folder holds is said in `folder_layout`; WikiText-103's valid and test articles are those of WikiText-2.

The spelling (" @-@ ", blanks before punctuation) is left alone, so that a perplexity compares with published ones
of the same splits; a document counts its words as the data set does, line ends left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compecon.tasks.language_task import Document, Documents, LanguageTask
from compecon.tasks.readers.hub_tables import load_tables
from compecon.tasks.readers.language_modeling import split_articles

WIKITEXTS: Mapping[str, str] = {"wikitext-2": "wikitext2_raw", "wikitext-103": "wikitext103_raw"}
_FILES = {"train": "wiki.train.raw", "dev": "wiki.valid.raw", "test": "wiki.test.raw"}
_HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def read_wikitext(folder: Path, name: str) -> LanguageTask:
    """A WikiText of a data folder, with the splits that are there.

    Args:
        folder: The data folder.
        name: One of `WIKITEXTS`.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If a file holds no article.
    """
    home = folder / WIKITEXTS[name]
    paths = {split: home / file for split, file in _FILES.items() if (home / file).is_file()}
    if not paths:
        raise FileNotFoundError(f"none of {', '.join(_FILES.values())} in {home}.")
    return LanguageTask(
        name, {split: _documents(path.read_text(encoding="utf-8"), str(path)) for split, path in paths.items()}
    )


def hub_wikitext(name: str) -> LanguageTask:
    """A WikiText from `Salesforce/wikitext` (field text, a line a row).

    Args:
        name: One of `WIKITEXTS`.

    Raises:
        OfflineError: If the Hub cannot be reached and nothing is cached.
    """
    tables = load_tables("Salesforce/wikitext", f"{name}-raw-v1")
    return LanguageTask(
        name,
        {ours: _documents("".join(tables[theirs]["text"]), f"{name} {theirs}") for ours, theirs in _HUB_SPLITS.items()},
    )


def _documents(text: str, where: str) -> Documents:
    articles = split_articles(text)
    if not articles:
        raise ValueError(f"no article in {where}: expected titles as ' = Title = ' on lines of their own.")
    return tuple(Document(article.strip(), len(article.split())) for article in articles)
