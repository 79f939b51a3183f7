"""Readers of a data folder, in UTF-8; `folder_layout` says what it holds for each task.

MNLI's files called dev_mismatched* are reported beside the others. No bundled checkpoint learnt from the sentences of
Amazon's customers or the relatedness of SICK: they show how far what was learnt reaches.

Every reader raises FileNotFoundError for an absent file, and ValueError naming file and line for a wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

from compecon.errors import OfflineError
from compecon.tasks.definition import Definition
from compecon.tasks.readers import glue
from compecon.tasks.readers.glue import COLA, NLI_LABELS, SENTIMENT_LABELS, SICK, SST2, STSB
from compecon.tasks.rows import Row, held_out, shuffled, split
from compecon.tasks.task import Task
from compecon.tasks.task_metrics import accuracy, pearson, spearman

Parsed = TypeVar("Parsed")

_STSB_COLUMNS = 7  # some rows carry two more, with the source of the sentences
_COLA_COLUMNS = 4
_SICK_FILES = {"dev": "sick/SICK_trial.txt", "test": "sick/SICK_test_annotated.txt"}
AMAZON_SOURCE = "cjhutto/vaderSentiment on GitHub: additional_resources/hutto_ICWSM_2014.tar.gz"
RELATEDNESS_SOURCE = "the SICK data set"
_CLEAR = 1.0  # of a mean rating: nearer to 0, the twenty people who rated a sentence found little opinion in it

AMAZON = Definition(
    "amazon-snippets",
    "Is a sentence of a product review negative or positive?",
    SENTIMENT_LABELS,
    (accuracy,),
    "MIT, of the ratings; sentences of Amazon's customers as collected by Hu and Liu (2004)",
)
RELATEDNESS = Definition(
    "sick-relatedness",
    "How related are two simple descriptions of scenes, from 1 to 5?",
    ("similarity",),
    (spearman, pearson),
    "CC BY-NC-SA 3.0",
    kind="regression",
    is_pair=True,
)


def read_sst2(folder: Path) -> Task:
    """SST-2 of a data folder."""
    files = {name: f"sst2/{name}.tsv" for name in ("train", "dev", "test")}
    return _read(SST2, folder, files, _sst2_row)


def read_stsb(folder: Path) -> Task:
    """STS-B of a data folder."""
    files = {name: f"stsb/sts-{name}.csv" for name in ("train", "dev", "test")}
    return _read(STSB, folder, files, _stsb_row)


def read_cola(folder: Path) -> Task:
    """CoLA of a data folder: both dev files are "test", as in GLUE, and "dev" is cut from train, shuffled first."""
    train, near, far = (
        list(_lines_of(folder / "cola" / f"{name}.tsv", _cola_row))
        for name in ("in_domain_train", "in_domain_dev", "out_of_domain_dev")
    )
    return COLA.task({**held_out(shuffled(train), int), "test": split(near + far, int)})


def read_mnli(folder: Path) -> Task:
    """MNLI of a data folder; parts of a split are joined in the order of their names."""
    mismatched = sorted((folder / "mnli").glob("dev_mismatched*.jsonl"))
    matched = [path for path in _matching(folder / "mnli", "dev*.jsonl") if path not in mismatched]
    parts = (_matching(folder / "mnli", "train*.jsonl"), matched, mismatched)
    return glue.mnli(*([row for path in paths for row in _lines_of(path, _mnli_row)] for paths in parts))


def read_sick(folder: Path) -> Task:
    """SICK of a data folder, with the entailment judgement."""
    return _read(SICK, folder, {"train": "sick/SICK_train.txt", **_SICK_FILES}, _sick_row, header=True)


def read_amazon(folder: Path) -> Task:
    """Sentences of product reviews with a mean rating of at least 1 or at most -1; "test" alone."""
    path = folder / "amazon_snippets" / "amazonReviewSnippets_GroundTruth.txt"
    rated = _lines_of(path, _amazon_row)
    clear: Iterator[Row] = ((text, None, int(rating > 0)) for text, rating in rated if abs(rating) >= _CLEAR)
    return AMAZON.task({"test": split(clear, int)})


def read_relatedness(folder: Path) -> Task:
    """The relatedness of SICK's trial pairs, as "dev", and of its test pairs."""
    return _read(RELATEDNESS, folder, _SICK_FILES, _related_row, header=True)


def not_on_the_hub() -> NoReturn:
    """Raise OfflineError: these are read from a data folder only."""
    raise OfflineError(
        f"This is read from a data folder only. {AMAZON.name}: {AMAZON_SOURCE}; "
        f"{RELATEDNESS.name}: {RELATEDNESS_SOURCE}."
    )


def _read(
    about: Definition, folder: Path, files: Mapping[str, str], parse: Callable[[str], Row], *, header: bool = False
) -> Task:
    rows = {name: _lines_of(folder / file, parse, header=header) for name, file in files.items()}
    return about.task({name: split(lines, about.target) for name, lines in rows.items()})


def _matching(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern} in {folder}.")
    return found


def _lines_of(path: Path, parse: Callable[[str], Parsed], *, header: bool = False) -> Iterator[Parsed]:
    """What a function makes of each line of a file that is not blank.

    Raises:
        FileNotFoundError: If the file is absent.
        ValueError: Naming file and line, if the function refuses it.
    """
    # Lines end in \n only: these texts hold other characters that str.splitlines would break at.
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, start=1):
        if (header and number == 1) or not line.strip():
            continue
        try:
            yield parse(line.rstrip("\r"))
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(
                f"{path}, line {number} does not have the expected layout: {error}. Got: {line[:80]!r}"
            ) from error


def _sst2_row(line: str) -> Row:
    text, label = line.rsplit("\t", 1)
    if label not in {"0", "1"}:
        raise ValueError(f"label must be 0 or 1, got {label!r}")
    return text, None, int(label)


def _stsb_row(line: str) -> Row:
    fields = line.split("\t")
    if len(fields) < _STSB_COLUMNS:
        raise ValueError(f"expected at least {_STSB_COLUMNS} columns, got {len(fields)}")
    return fields[5], fields[6], float(fields[4])


def _cola_row(line: str) -> Row:
    fields = line.split("\t")
    if len(fields) != _COLA_COLUMNS:
        raise ValueError(f"expected {_COLA_COLUMNS} columns, got {len(fields)}")
    if fields[1] not in {"0", "1"}:
        raise ValueError(f"label must be 0 or 1, got {fields[1]!r}")
    return fields[3], None, int(fields[1])


def _mnli_row(line: str) -> Row:
    row = json.loads(line)
    return row["premise"], row["hypothesis"], NLI_LABELS.index(row["label"])


def _sick_row(line: str) -> Row:
    _, first, second, _, judgement = line.split("\t")
    return first, second, NLI_LABELS.index(judgement.strip().lower())


def _amazon_row(line: str) -> tuple[str, float]:
    _, rating, text = line.split("\t")
    return text, float(rating)


def _related_row(line: str) -> Row:
    _, first, second, relatedness, _ = line.split("\t")
    return first, second, float(relatedness)
