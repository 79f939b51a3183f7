"""What the bundled checkpoints are measured on, and the measurements that come with compecon.

Every number of the bundle is measured here, on checkpoints loaded as users load them, in a process that has trained
nothing. `compecon remeasure` does it again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from compecon.allocation.streams.bundled_streams import open_stream
from compecon.checkpoints.load import Checkpoint, load_of_bundle, size_name
from compecon.errors import CompeconError
from compecon.evaluation.at_budgets import measured
from compecon.evaluation.evaluation_records import EVALUATIONS, EvaluationKey, EvaluationRecord
from compecon.evaluation.result_store import read_kept
from compecon.evaluation.row_records import RowStatistics
from compecon.evaluation.row_statistics import gather_statistics
from compecon.evaluation.row_store import STATISTICS, write_statistics
from compecon.files.durable import write_text
from compecon.studies.build_streams import build_streams
from compecon.studies.bundled_models import Say
from compecon.studies.family_members import ELASTIC
from compecon.studies.predicted_streams import KnownTexts, known_texts, write_gains
from compecon.tasks.readers.made_reviews import SHOWN
from compecon.tasks.rows_fingerprint import rows_digest
from compecon.tasks.task import Task
from compecon.tasks.task_registry import read_task

BUDGETS = (16, 8, 4, 2, 1)
FEW_BUDGETS = (8, 4, 2, 1)
FAMILIES: Mapping[str, str] = {"sentiment": "sst2", "similarity": "stsb"}
_MAX_TOKENS = 128
_ROW_TASKS, _ROWS = ("sst2", "reviews", "stsb"), 200  # that statistics of rows come with compecon for


@final
@dataclass(frozen=True)
class Sheet:
    """Rows that a kind of checkpoint is measured on."""

    task: str
    description: str  # as shown to people
    split: str = "test"  # name of the split
    known: bool = False  # whether the checkpoint learnt from other rows of the same task
    # Numbers of keys, beside all, for the dense checkpoint and the whole elastic one
    budgets: tuple[int, ...] = FEW_BUDGETS
    others: tuple[int, ...] = ()  # the same for all others, sizes of the elastic one among them
    reported: str = "test"  # what the manifest calls the split
    made: str = ""  # what the task calls itself, if that is more than its name

    @property
    def shown_task(self) -> str:
        """What measurements call the task."""
        return self.made or self.task

    def budgets_of(self, name: str) -> tuple[int, ...]:
        """Numbers of keys for a checkpoint, by its name."""
        return self.budgets if name == parent_of(name) or name.endswith(f"-{ELASTIC}") else self.others


SHEETS: Mapping[str, tuple[Sheet, ...]] = {
    "sentiment": (
        Sheet("sst2", "SST-2, test", known=True, budgets=BUDGETS, others=BUDGETS),
        Sheet("amazon-snippets", "product reviews (Amazon), sentences"),
        Sheet("reviews", "reviews that compecon makes (synthetic)", made=SHOWN),
    ),
    "similarity": (
        Sheet("stsb", "STS-B, test", known=True, budgets=BUDGETS, others=BUDGETS),
        Sheet("sick-relatedness", "SICK, relatedness of trial pairs", split="dev"),
    ),
    "entailment": (
        Sheet("sick", "SICK, test", known=True, budgets=BUDGETS),
        Sheet("mnli", "MultiNLI, dev-matched", known=True, reported="MNLI dev-matched", budgets=()),
        Sheet("xnli/en", "XNLI in English, dev", split="dev"),
    ),
    "causal": (Sheet("corpus", "WikiText-2, test", known=True, budgets=()),),
}


def parent_of(name: str) -> str:
    """The dense checkpoint that a member of the family was made from; itself for the others."""
    return name.partition("-")[0]


def sized(name: str, budget: float) -> str:
    """What measurements call a size of an elastic checkpoint; the checkpoint itself at 1."""
    return name if budget == 1 else size_name(name, budget)


def not_measured(name: str, what: str) -> CompeconError:
    """The error that a checkpoint, with its present weights, lacks a measurement."""
    return CompeconError(f"{name} was not measured {what}. Run compecon remeasure --missing.")


def bundled_name(name: str) -> str:
    """The checkpoint that a measured size belongs to; itself for one that is no size."""
    return name.partition(" at ")[0]


def bundled_in(assets: Path) -> tuple[str, ...]:
    """Names of the checkpoints of a bundle, dense ones first."""
    names = [path.parent.name for path in (assets / "checkpoints").glob("*/compecon.json")]
    return tuple(sorted(names, key=lambda name: (name != parent_of(name), name)))


def measure_bundle(
    assets: Path, data: Path, *, only: Collection[str] = (), missing: bool = False, say: Say
) -> tuple[EvaluationRecord, ...]:
    """Measure checkpoints of a bundle on all rows and at all budgets of their sheets, and write the results.

    Results are written sheet by sheet, so that an interruption costs one sheet.

    Args:
        assets: Folder with `checkpoints/` and the file of measurements.
        data: Data folder.
        only: Names of checkpoints; all if empty.
        missing: Skip what was measured before, with these weights on these rows.
        say: Gets each result.

    Returns:
        All measurements of the file.

    Raises:
        CheckpointError: If a checkpoint cannot be loaded.
        FileNotFoundError: If the data folder lacks a task.
    """
    path = assets / f"{EVALUATIONS}.jsonl"
    shipped = bundled_in(assets)
    found = {one.key: one for one in read_kept(path, EvaluationRecord.read) if bundled_name(one.checkpoint) in shipped}
    for name in [name for name in shipped if not only or name in only]:
        sizes = every_size(load_of_bundle(assets / "checkpoints" / name))
        digests = {checkpoint.digest for checkpoint in sizes}
        for key in [k for k, one in found.items() if bundled_name(one.checkpoint) == name and k.digest not in digests]:
            del found[key]  # of other weights
        for sheet in SHEETS[parent_of(name)]:
            task = read_task(sheet.task, data)
            rows = rows_digest(task.part(sheet.split))
            for checkpoint in sizes if sheet.known else sizes[:1]:
                for key in keys_of(sheet, checkpoint.name, checkpoint.digest, rows, task.name):
                    if missing and key in found:
                        continue
                    record = found[key] = measured(checkpoint, task, key)
                    at = f"{key.keys or 'all'} key{'' if key.keys == 1 else 's'}"
                    say(f"{checkpoint.name} on {sheet.description}, {at}: {record.metric} {record.score.value:.4f}")
            write_evaluations(path, found.values())
    return read_kept(path, EvaluationRecord.read)


def every_size(checkpoint: Checkpoint) -> tuple[Checkpoint, ...]:
    """A checkpoint, and of an elastic one its smaller trained sizes, falling."""
    budgets = () if checkpoint.elastic is None else tuple(checkpoint.elastic.prices.bought)
    return (checkpoint, *(checkpoint.at(budget) for budget in budgets if budget < 1))


def keys_of(sheet: Sheet, name: str, digest: str, rows: str, task: str) -> list[EvaluationKey]:
    """What a checkpoint is measured at on a sheet, all keys first."""
    budgets: Sequence[int | None] = (None, *sheet.budgets_of(name))
    return [
        EvaluationKey(digest, task, sheet.split, rows, _MAX_TOKENS, keys=keys, policy="top-k" if keys else "")
        for keys in budgets
    ]


def write_evaluations(path: Path, records: Iterable[EvaluationRecord]) -> None:
    """Write measurements, a line each, by checkpoint, task, split and falling budget."""
    ordered = sorted(records, key=lambda r: (r.checkpoint, r.key.task, r.key.split, -(r.key.keys or 1_000_000)))
    lines = [json.dumps(one.written(), separators=(",", ":"), allow_nan=False) for one in ordered]
    write_text(path, "\n".join(lines) + "\n")


def measure_streams(assets: Path, data: Path, *, say: Say) -> None:
    """Measure the bundled streams, and what predictions earn on them."""
    folder, families = assets / "streams", []
    for name, task_name in FAMILIES.items():
        task = read_task(task_name, data)
        assert isinstance(task, Task)  # noqa: S101 - for the type checker
        dense, elastic = (load_of_bundle(assets / "checkpoints" / each) for each in (name, f"{name}-{ELASTIC}"))
        families.append((task, dense, elastic))
    build_streams(folder, families, say=say)
    known = []
    for name, (task, dense, _) in zip(FAMILIES, families, strict=True):
        keys = known_texts(open_stream(f"{name}-keys", folder), task, [dense])
        known += [(keys, name), (KnownTexts(open_stream(f"{name}-sizes", folder), keys.features), name)]
    for gain in write_gains(folder, known):
        say(f"{gain.stream} at {gain.mean_budget:.4g}: {gain.same:.3f} the same for all, {gain.hindsight.value:+.3f}")


def measure_statistics(assets: Path, data: Path, *, only: Collection[str] = (), say: Say) -> None:
    """Measure again the statistics of rows that come with compecon; those of other weights are replaced."""
    folder = assets / STATISTICS
    names = [name for parent in FAMILIES for name in (parent, f"{parent}-{ELASTIC}")]  # the pairs to begin with
    wanted = {(name, sheet) for name in names for sheet in SHEETS[parent_of(name)] if sheet.task in _ROW_TASKS}
    kept = {(name, sheet.shown_task) for name, sheet in wanted if only and name not in only}
    for path in sorted(folder.glob("[!t]*.json")):  # not the texts
        if not all((old.checkpoint, old.key.task) in kept for old in read_kept(path, RowStatistics.read)):
            path.unlink()
    for name, sheet in sorted(wanted, key=lambda each: (each[0], each[1].task)):
        if (name, sheet.shown_task) in kept:
            continue
        params = {
            "task": sheet.task,
            "data": str(data),
            "split": sheet.split,
            "rows": _ROWS,
            "budgets": list(FEW_BUDGETS),
            "max_tokens": _MAX_TOKENS,
            "checkpoint": name,
            "device": "cpu",
        }
        found = gather_statistics(params).found
        write_statistics(found, folder)
        say(f"{name} on {found.key.task}: Gini {found.gini[0].mean():.4f}")
