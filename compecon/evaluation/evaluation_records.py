"""Evaluations of checkpoints, stored so that none is made twice. Loads without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self, final

from compecon.evaluation.result_store import ResultStore, file_name_of
from compecon.files.durable import plain
from compecon.files.schema import check_schema
from compecon.paths import assets
from compecon.tasks.cut import Cut
from compecon.tasks.task_metrics import Estimate

SCHEMA = 1
EVALUATIONS = "evaluations"


@final
@dataclass(frozen=True)
class EvaluationKey:
    """What was measured; equal keys have equal results."""

    digest: str  # of everything that is loaded from the checkpoint
    task: str
    split: str
    rows_digest: str  # of the rows themselves
    max_tokens: int  # longer texts were cut
    keys: int | None = None  # that each query may read; None for all, or where `share` says it
    share: float | None = None  # of the keys that each query sees; None for all, or where `keys` says it
    policy: str = ""  # which keys these are; "" for all

    @property
    def file_name(self) -> str:
        """Name of the measurement's file: readable, and unlike that of any other key."""
        budget = "all" if self.keys is None and self.share is None else f"{self.keys or self.share}-{self.policy}"
        return file_name_of(asdict(self), f"{self.digest}-{self.task[:40]}-{self.split}-{budget}")


@final
@dataclass(frozen=True)
class EvaluationRecord:
    """A measurement.

    Attributes:
        key: What was measured.
        checkpoint: Name of the checkpoint.
        metrics: The task's metrics by name; the one that is chosen by first. Empty mappings are refused.
        higher_is_better: Whether more of that one is better.
        n_tokens: Mean length of a text, in tokens.
        reads: Keys that all queries of a text of that length read, summed over the heads that are left; None where the
            sizes are not known or the budget is a share.
        macs: MACs of a forward pass over it, which no budget changes; None where they are not known.
        parameters: Weights of the checkpoint.
        hardware: What it ran on.
        versions: Of the libraries.
        measured_at: Seconds since 1970, for display.
        cut: How much of the texts was too long to be read; None for documents, and where an older version measured.
    """

    key: EvaluationKey
    checkpoint: str
    metrics: Mapping[str, Estimate]
    higher_is_better: bool
    n_tokens: int
    reads: int | None
    macs: int | None
    parameters: int
    hardware: Mapping[str, Any]
    versions: Mapping[str, str]
    measured_at: float
    cut: Cut | None = None

    @property
    def metric(self) -> str:
        """Name of the metric that is chosen by."""
        return next(iter(self.metrics))

    @property
    def score(self) -> Estimate:
        """That metric."""
        return self.metrics[self.metric]

    @classmethod
    def read(cls, written: object) -> Self:
        """Read what :meth:`written` wrote.

        Raises:
            ValueError: If it is anything else.
        """
        names = {each.name for each in fields(cls)}
        try:
            check_schema(written, SCHEMA, "it")  # type: ignore[arg-type]
            given = {name: value for name, value in written.items() if name in names}  # type: ignore[attr-defined]
            given["key"] = EvaluationKey(**given["key"])
            given["metrics"] = {str(name): _estimate(score) for name, score in given["metrics"].items()}
            given["cut"] = Cut.read(given.get("cut"))
            record = cls(**given)
            record._check()
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"it is not a measurement: {error!r}.") from error
        return record

    def _check(self) -> None:
        words = (self.key.digest, self.key.task, self.key.split, self.key.rows_digest, self.key.policy, self.checkpoint)
        scores = [x for score in self.metrics.values() for x in (score.value, score.low, score.high)]
        perhaps = [x for x in (self.reads, self.macs, self.key.keys) if x is not None]
        shares = [] if self.key.share is None else [self.key.share]
        numbers = [*(x for x in scores if not math.isnan(x)), self.measured_at, *shares]
        counts = [self.n_tokens, self.parameters, self.key.max_tokens, *(s.n for s in self.metrics.values()), *perhaps]
        if not self.metrics or not all(isinstance(word, str) for word in words):
            raise ValueError("it has no metric, or a name that is not text.")
        if not all(isinstance(x, float | int) and math.isfinite(x) for x in numbers):
            raise ValueError("one of its numbers is not finite.")
        if not all(type(x) is int and x >= 0 for x in counts) or type(self.higher_is_better) is not bool:
            raise ValueError("one of its counts is not a whole number.")

    def written(self) -> dict[str, Any]:
        """JSON values that :meth:`read` reads."""
        plainly = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "cut"}
        scores = {name: asdict(score) for name, score in self.metrics.items()}
        cut = {} if self.cut is None else {"cut": self.cut.written()}
        written: dict[str, Any] = plain(
            {"schema": SCHEMA, **plainly, "key": asdict(self.key), "metrics": scores, **cut}
        )
        return written


def _estimate(written: Mapping[str, Any]) -> Estimate:
    """Read JSON values, in which null is not a number."""
    ends = {name: math.nan if written[name] is None else written[name] for name in ("value", "low", "high")}
    return Estimate(**ends, n=written["n"])


@final
class EvaluationStore(ResultStore[EvaluationRecord]):
    """Evaluations in a folder, and those that come with compecon.

    Args:
        kept: Folder of measurements, which has one of evaluations; None to store nothing.
    """

    def __init__(self, kept: Path | None = None) -> None:
        folder = kept / EVALUATIONS if kept else None
        super().__init__(folder, assets() / f"{EVALUATIONS}.jsonl", EvaluationRecord.read, SCHEMA)
