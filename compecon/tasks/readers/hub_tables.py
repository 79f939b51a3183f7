"""The same tasks from the Hub, without a data folder: needs a network or a warm cache of `datasets`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from compecon.errors import OfflineError, TaskError
from compecon.tasks.definition import Definition
from compecon.tasks.readers import glue
from compecon.tasks.rows import Row, held_out, shuffled, split
from compecon.tasks.task import Task

HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}  # ours: theirs
_GLUE = "nyu-mll/glue"


@final
@dataclass(frozen=True)
class GlueTable:
    """Where a task of GLUE lies in `nyu-mll/glue`; its config is called as the task."""

    definition: Definition  # what the task is
    text: str  # field of the text, or of the first of each pair
    pair: str | None = None  # field of the second; None for single texts
    test: str = "validation"  # their split that is our "test"
    beside: Mapping[str, str] | None = None  # their splits that are reported beside it, by our names


GLUE: Mapping[str, GlueTable] = {
    table.definition.name: table
    for table in (
        GlueTable(glue.COLA, "sentence"),
        GlueTable(glue.SST2, "sentence"),
        GlueTable(glue.MRPC, "sentence1", "sentence2"),
        GlueTable(glue.STSB, "sentence1", "sentence2"),
        GlueTable(glue.QQP, "question1", "question2"),
        GlueTable(glue.MNLI, "premise", "hypothesis", "validation_matched", {"mismatched": "validation_mismatched"}),
        GlueTable(glue.QNLI, "question", "sentence"),
        GlueTable(glue.RTE, "sentence1", "sentence2"),
        GlueTable(glue.WNLI, "sentence1", "sentence2"),
    )
}


def hub_glue(name: str) -> Task:
    """A task of GLUE (one of `GLUE`) from `nyu-mll/glue`, all of its training rows.

    The labels of GLUE's test split are not public: "test" is the validation split, never used to choose, and "dev" is
    cut from train after one fixed shuffle, because some of these are sorted by source. The train split of SST-2 holds
    phrases of its sentences, so its "dev" is easier than its "test".
    """
    table = GLUE[name]
    tables = load_tables(_GLUE, name)
    target = table.definition.target
    splits = held_out(shuffled(_rows(tables["train"], table)), target)
    for ours, theirs in {"test": table.test, **(table.beside or {})}.items():
        splits[ours] = split(_rows(tables[theirs], table), target)
    return table.definition.task(splits)


def hub_sst2() -> Task:
    """SST-2 from `SetFit/sst2` (fields text, label): the 6,920 / 872 / 1,821 sentences.

    `nyu-mll/glue` holds phrases in its train split and no labels in its test split; `hub_glue` reads that one.
    """
    return _whole("SetFit/sst2", GlueTable(glue.SST2, "text"))


def hub_stsb() -> Task:
    """STS-B from `mteb/stsbenchmark-sts` (fields sentence1, sentence2, score 0 to 5), test scores included."""
    return _whole("mteb/stsbenchmark-sts", GlueTable(glue.STSB, "sentence1", "sentence2"), label="score")


def hub_mnli(rows: int = 25_000) -> Task:
    """MNLI from `nyu-mll/glue` (labels in the order of `NLI_LABELS`), some of its 392,702 training rows, shuffled."""
    tables = load_tables(_GLUE, "mnli")
    few = tables["train"].shuffle(seed=0).select(range(rows))
    return glue.mnli(*(_rows(table, GLUE["mnli"]) for table in (few, tables["validation_matched"])))


def hub_sick() -> Task:
    """SICK from `RobZamp/sick` (fields sentence_A, sentence_B, label: 0, 1, 2 in the order of `NLI_LABELS`).

    The repository itself holds a loading script, which `datasets` no longer runs; the Hub keeps a converted copy.
    """
    table = GlueTable(glue.SICK, "sentence_A", "sentence_B")
    return _whole("RobZamp/sick", table, revision="refs/convert/parquet")


def load_tables(name: str, config: str | None = None, *, revision: str | None = None, streaming: bool = False) -> Any:
    """`datasets.load_dataset`, with an OfflineError if the Hub cannot be reached and nothing is cached."""
    from datasets import load_dataset  # noqa: PLC0415 - takes a second, and listing the tasks needs none of it

    try:
        return load_dataset(name, config, revision=revision, streaming=streaming)
    except (ConnectionError, OSError) as error:
        raise OfflineError(f"could not load {name} from the Hub ({error}).") from error


def rows_of(table: Any, definition: Definition, text: str, pair: str | None = None, label: str = "label") -> list[Row]:
    """The rows of a table of `datasets`: the columns of the text, of its pair if any, and of the class index or score.

    Raises:
        TaskError: If its class names, where it has any, are not those of the definition, or in another order.
    """
    names = getattr(table.features[label], "names", None)
    if names is not None and not definition.task({}).check_labels(names).in_order:
        raise TaskError(f"{definition.name}: the classes on the Hub are {names}, expected {definition.labels}.")
    pairs = list(table[pair]) if pair else [None] * len(table)
    return list(zip(table[text], pairs, table[label], strict=True))


def _rows(table: Any, where: GlueTable, label: str = "label") -> list[Row]:
    return rows_of(table, where.definition, where.text, where.pair, label)


def _whole(name: str, where: GlueTable, *, revision: str | None = None, label: str = "label") -> Task:
    """A task whose three splits all have labels on the Hub."""
    tables = load_tables(name, revision=revision)
    target = where.definition.target
    return where.definition.task(
        {ours: split(_rows(tables[theirs], where, label), target) for ours, theirs in HUB_SPLITS.items()}
    )
