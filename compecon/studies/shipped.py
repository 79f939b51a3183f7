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
from compecon.checkpoints.load import load_of_bundle
from compecon.evaluation.at_budgets import measured
from compecon.evaluation.evaluation_records import EVALUATIONS, EvaluationKey, EvaluationRecord
from compecon.evaluation.result_store import read_kept
from compecon.evaluation.row_records import RowStatistics
from compecon.evaluation.row_statistics import gather_statistics
from compecon.evaluation.row_store import STATISTICS, write_statistics
from compecon.files.durable import write_text
from compecon.studies.build_streams import build_streams
from compecon.studies.bundled_models import Say
from compecon.studies.predicted_streams import KnownTexts, known_texts, write_gains
from compecon.tasks.readers.made_reviews import REVIEWS, SHOWN
from compecon.tasks.rows_fingerprint import rows_digest
from compecon.tasks.task import Task
from compecon.tasks.task_registry import read_task

BUDGETS = (16, 8, 4, 2, 1)
FEW_BUDGETS = (8, 4, 2, 1)
SIZES = ("60", "45", "30")  # of the family that a stream of sizes is measured on
FAMILIES: Mapping[str, str] = {"sentiment": "sst2", "similarity": "stsb"}
_MAX_TOKENS = 128


@final
@dataclass(frozen=True)
class Sheet:
    """Rows that a kind of checkpoint is measured on."""

    task: str
    description: str  # as shown to people
    split: str = "test"  # name of the split
    known: bool = False  # whether the checkpoint learnt from other rows of the same task
    # Numbers of keys, beside all, for the dense checkpoint and the one for any budget
    budgets: tuple[int, ...] = FEW_BUDGETS
    others: tuple[int, ...] = ()  # the same for all others
    reported: str = "test"  # what the manifest calls the split
    made: str = ""  # what the task calls itself, if that is more than its name

    @property
    def shown_task(self) -> str:
        """What measurements call the task."""
        return self.made or self.task

    def budgets_of(self, name: str) -> tuple[int, ...]:
        """Numbers of keys for a checkpoint, by its name."""
        return self.budgets if name == parent_of(name) or name.endswith("-any-budget") else self.others


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
    names = [name for name in bundled_in(assets) if not only or name in only]
    found = {record.key: record for record in read_kept(path, EvaluationRecord.read)}
    for name in names:
        checkpoint = load_of_bundle(assets / "checkpoints" / name)
        for key in [key for key, one in found.items() if one.checkpoint == name and key.digest != checkpoint.digest]:
            del found[key]  # of other weights
        for sheet in SHEETS[parent_of(name)]:
            task = read_task(sheet.task, data)
            for key in keys_of(sheet, name, checkpoint.digest, rows_digest(task.part(sheet.split)), task.name):
                if missing and key in found:
                    continue
                record = found[key] = measured(checkpoint, task, key)
                at = f"{key.keys or 'all'} key{'' if key.keys == 1 else 's'}"
                say(f"{name} on {sheet.description}, {at}: {record.metric} {record.score.value:.4f}")
            write_evaluations(path, found.values())
    return read_kept(path, EvaluationRecord.read)


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
        members = [name, *(f"{name}-{size}" for size in SIZES)]
        families.append((task, [load_of_bundle(assets / "checkpoints" / each) for each in members]))
    build_streams(folder, families, say=say)
    known = []
    for name, (task, checkpoints) in zip(FAMILIES, families, strict=True):
        keys = known_texts(open_stream(f"{name}-keys", folder), task, checkpoints[:1])
        known += [(keys, name), (KnownTexts(open_stream(f"{name}-sizes", folder), keys.features), name)]
    for gain in write_gains(folder, known):
        say(f"{gain.stream} at {gain.mean_budget:.4g}: {gain.same:.3f} the same for all, {gain.hindsight.value:+.3f}")


def measure_statistics(assets: Path, data: Path, *, only: Collection[str] = (), say: Say) -> None:
    """Measure again the statistics of rows that come with compecon; those of other weights are replaced."""
    folder = assets / STATISTICS
    for path in sorted(folder.glob("[!t]*.json")):  # not the texts
        for old in read_kept(path, RowStatistics.read):
            if only and old.checkpoint not in only:
                continue
            name = REVIEWS.name if old.key.task == SHOWN else old.key.task
            params = {
                "task": name,
                "data": str(data),
                "split": old.key.split,
                "rows": old.key.n_rows,
                "budgets": list(old.key.budgets),
                "max_tokens": old.key.max_tokens,
                "checkpoint": old.checkpoint,
                "device": "cpu",
            }
            found = gather_statistics(params).found
            if found.key.file_name != path.name:
                path.unlink()
            write_statistics(found, folder)
            say(f"{old.checkpoint} on {found.key.task}: Gini {found.gini[0].mean():.4f}")
