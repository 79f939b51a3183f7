"""What one run of an experiment gave: a JSON file for people and programs, and its predictions beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from compecon.files.durable import replace_file
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.studies.survivors import SurvivorControl
from compecon.tasks.cut import Cut
from compecon.tasks.task_metrics import Estimate


@dataclass(frozen=True)
class ExperimentRun:
    """One model that came out of an experiment."""

    # What was done: "dense", "longer", "incentive", "price 1", "incentive heads" (or "neurons", "both": what had gates
    # in an ablation), or the name of a post-hoc method
    arm: str
    recovered: bool  # whether it was trained after units were removed
    seed: int  # seed of everything in it, of the dense model that it starts from too
    target: float | None  # share of the MACs of heads and neurons that was the target; None without a target
    share: float  # share that is left
    macs: int  # MACs of one forward pass over one text of `n_tokens`, output head included, of the compacted shapes
    n_tokens: int  # that length
    heads: tuple[int, ...]  # heads left, by layer
    neurons: tuple[int, ...]  # FFN neurons left, by layer
    metric: str  # name of the task's metric
    dev: Estimate  # the metric on what choices are made by
    test: Estimate  # the metric on what is reported
    steps: int  # optimizer steps after the dense model
    seconds: float  # their wall time, measuring importance included
    training_macs: float  # MACs of all forward and backward passes after the dense model, the teacher's included
    price: float | None = None  # price of compute when the gates were frozen
    met: bool | None = None  # whether the gates met the target by themselves
    # Whether it was measured as saved and loaded anew, in float32. Records without it are of models that were measured
    # where they had been trained: under autocast, if they were, and not kept.
    reloaded: bool = False
    # Where the shift in Gini and entropy comes from, on the first dev rows; for priced arms
    survivors: SurvivorControl | None = None
    cut: Cut | None = None  # how much of the test texts was too long to be read; None in older records

    @property
    def name(self) -> str:
        """Name of its files."""
        return record_name(self.arm, self.target, self.seed, recovered=self.recovered)


_FORM = TypeAdapter(ExperimentRun)


def record_name(arm: str, target: float | None, seed: int, *, recovered: bool) -> str:
    """Name of the files of a run."""
    at = "" if target is None else f"-{target:g}"
    return f"{arm.replace(' ', '-')}{at}-{'recovered' if recovered else 'once'}-s{seed}"


@dataclass(frozen=True)
class Records:
    """A folder of records. A run that has a record is not run again."""

    folder: Path

    def add(self, record: ExperimentRun, predictions: np.ndarray) -> None:
        """Store a record and the predictions on the test split; the record last: if it exists, it is complete."""
        self.folder.mkdir(parents=True, exist_ok=True)
        np.save(self.folder / f"{record.name}.npy", predictions, allow_pickle=False)
        replace_file(self.folder / f"{record.name}.json", _FORM.dump_json(record, indent=1) + b"\n")

    def has(self, name: str) -> bool:
        """Whether the run of that name is done."""
        return (self.folder / f"{name}.json").is_file()

    def all(self) -> tuple[ExperimentRun, ...]:
        """Every record, by name.

        Raises:
            ValueError: If a file is not a record.
        """
        return tuple(_read(path) for path in sorted(self.folder.glob("*-s[0-9]*.json")))

    def predictions(self, record: ExperimentRun) -> np.ndarray:
        """Predictions of a record on the test split."""
        stored: np.ndarray = np.load(self.folder / f"{record.name}.npy", allow_pickle=False)
        return stored


def _read(path: Path) -> ExperimentRun:
    try:
        return _FORM.validate_python(read_json(path, MEGABYTE))
    except ValueError as error:
        raise ValueError(f"{path} is not a record of a run. Move it away to run that again. ({error})") from error
