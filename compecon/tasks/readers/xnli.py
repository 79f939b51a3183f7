"""XNLI: does the premise entail or contradict the hypothesis, in fifteen languages?

Dev and test were translated by people, train (that of MNLI) by machine. Layout of a data folder; a language whose train
or test is absent can still be measured on:

    xnli/xnli.dev*.tsv, xnli/xnli_dev*.tsv     with a header: language, gold_label, sentence1, sentence2, in any order
    xnli/xnli.test*.tsv, xnli/xnli_test*.tsv   likewise
    xnli/multinli.train.<language>.tsv         with a header: premise, hypo, label
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from compecon.errors import TaskError
from compecon.tasks.definition import Definition
from compecon.tasks.readers.glue import NLI_LABELS
from compecon.tasks.readers.hub_tables import HUB_SPLITS, load_tables, rows_of
from compecon.tasks.rows import Row, split
from compecon.tasks.task import Task
from compecon.tasks.task_metrics import accuracy

LANGUAGES: Mapping[str, str] = {
    "ar": "Arabic", "bg": "Bulgarian", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fr": "French",
    "hi": "Hindi", "ru": "Russian", "sw": "Swahili", "th": "Thai", "tr": "Turkish", "ur": "Urdu", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip
_SPELLED = {"contradictory": "contradiction"}  # in the machine-translated train files


def definition(language: str) -> Definition:
    """What XNLI in a language (one of `LANGUAGES`) is."""
    title = f"Does the premise entail or contradict the hypothesis, in {LANGUAGES[language]}?"
    return Definition(f"xnli/{language}", title, NLI_LABELS, (accuracy,), "CC BY-NC 4.0", is_pair=True)


def read_xnli(folder: Path, language: str) -> Task:
    """XNLI of a data folder in one language, with the splits that are there; parts are joined in order of their names.

    Raises:
        FileNotFoundError: If the folder has no dev and no test file.
        TaskError: If it has none in this language.
        ValueError: Naming file and line, if a row is not of the layout.
    """
    home, found, languages = folder / "xnli", dict[str, list[Row]](), set[str]()
    for name in ("dev", "test"):
        for path in sorted(home.glob(f"xnli[._]{name}*.tsv")):
            for spoken, row in _rows(path, ("language", "gold_label", "sentence1", "sentence2")):
                languages.add(spoken)
                if spoken == language:
                    found.setdefault(name, []).append(row)
    if not languages:
        raise FileNotFoundError(f"no rows in xnli.dev*.tsv, xnli_dev*.tsv, xnli.test*.tsv or xnli_test*.tsv in {home}.")
    if not found:
        raise TaskError(f"no row in {home} is in {language}, only in {', '.join(sorted(languages))}.")
    train = home / f"multinli.train.{language}.tsv"
    if train.is_file():
        found = {"train": [row for _, row in _rows(train, (None, "label", "premise", "hypo"))], **found}
    return definition(language).task({name: split(rows, int) for name, rows in found.items()})


def hub_xnli(language: str) -> Task:
    """XNLI in one language from `facebook/xnli` (fields premise, hypothesis, label), all three splits with labels."""
    about, tables = definition(language), load_tables("facebook/xnli", language)
    return about.task(
        {
            ours: split(rows_of(tables[theirs], about, "premise", "hypothesis"), int)
            for ours, theirs in HUB_SPLITS.items()
        }
    )


def _rows(path: Path, columns: tuple[str | None, ...]) -> Iterator[tuple[str, Row]]:
    """Language and row of each line; columns are those of language (None: not said), label, premise and hypothesis."""
    header, *lines = path.read_text(encoding="utf-8-sig").split("\n")  # in \n only, as `files`
    names = header.rstrip("\r").split("\t")
    absent = [column for column in columns if column is not None and column not in names]
    if absent:
        raise ValueError(f"{path} has no column {', '.join(absent)}. It has: {', '.join(names)}.")
    places = [None if column is None else names.index(column) for column in columns]
    for number, line in enumerate(lines, start=2):
        fields = line.rstrip("\r").split("\t")
        if not line.strip():
            continue
        if len(fields) != len(names):
            raise ValueError(f"{path}, line {number} has {len(fields)} columns, expected {len(names)}.")
        spoken, label, premise, hypothesis = ("" if place is None else fields[place] for place in places)
        label = _SPELLED.get(label, label)
        if label not in NLI_LABELS:
            raise ValueError(f"{path}, line {number} has the label {label!r}, expected one of {', '.join(NLI_LABELS)}.")
        yield spoken, (premise, hypothesis, NLI_LABELS.index(label))
