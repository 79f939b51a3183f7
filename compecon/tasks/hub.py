"""The same tasks from the Hub, for who has no data folder: needs a network or a warm cache of `datasets`."""

from __future__ import annotations

from typing import Any

from datasets import load_dataset

from compecon.errors import OfflineError
from compecon.tasks import glue
from compecon.tasks.task import Task

_SPLITS = {"train": "train", "dev": "validation", "test": "test"}  # ours: theirs


def hub_sst2() -> Task:
    """SST-2 from `SetFit/sst2` (fields text, label): the 6,920 / 872 / 1,821 sentences.

    `nyu-mll/glue` holds phrases in its train split and no labels in its test split, so it is not used here.

    Raises:
        OfflineError: If the Hub cannot be reached and nothing is cached.
    """
    tables = load_tables("SetFit/sst2")
    return glue.sst2(
        {
            ours: glue.split([(r["text"], None, r["label"]) for r in tables[theirs]], int)
            for ours, theirs in _SPLITS.items()
        }
    )


def hub_stsb() -> Task:
    """STS-B from `mteb/stsbenchmark-sts` (fields sentence1, sentence2, score 0 to 5), test scores included.

    Raises:
        OfflineError: If the Hub cannot be reached and nothing is cached.
    """
    tables = load_tables("mteb/stsbenchmark-sts")
    return glue.stsb(
        {
            ours: glue.split([(r["sentence1"], r["sentence2"], r["score"]) for r in tables[theirs]], float)
            for ours, theirs in _SPLITS.items()
        }
    )


def hub_mnli(rows: int = 25_000) -> Task:
    """MNLI from `nyu-mll/glue` "mnli" (fields premise, hypothesis, label: 0, 1, 2 in the order of `NLI_LABELS`).

    Args:
        rows: How many shuffled training rows to take, of 392,702.

    Raises:
        OfflineError: If the Hub cannot be reached and nothing is cached.
    """
    tables = load_tables("nyu-mll/glue", "mnli")
    few = tables["train"].shuffle(seed=0).select(range(rows))
    train, matched = (
        [(r["premise"], r["hypothesis"], r["label"]) for r in table] for table in (few, tables["validation_matched"])
    )
    return glue.mnli(train, matched)


def hub_sick() -> Task:
    """SICK from `RobZamp/sick` (fields sentence_A, sentence_B, label: 0, 1, 2 in the order of `NLI_LABELS`).

    The repository itself holds a loading script, which `datasets` no longer runs; the Hub keeps a converted copy.

    Raises:
        OfflineError: If the Hub cannot be reached and nothing is cached.
    """
    tables = load_tables("RobZamp/sick", revision="refs/convert/parquet")
    return glue.sick(
        {
            ours: glue.split([(r["sentence_A"], r["sentence_B"], r["label"]) for r in tables[theirs]], int)
            for ours, theirs in _SPLITS.items()
        }
    )


def load_tables(name: str, config: str | None = None, *, revision: str | None = None, streaming: bool = False) -> Any:
    """`datasets.load_dataset`, with an error that says what to do instead.

    Raises:
        OfflineError: If the Hub cannot be reached and nothing is cached.
    """
    try:
        return load_dataset(name, config, revision=revision, streaming=streaming)
    except (ConnectionError, OSError) as error:
        raise OfflineError(f"could not load {name} from the Hub ({error}). Pass a data folder instead.") from error
