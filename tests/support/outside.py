"""Methods that are no part of the package, a file each: installed as a distribution, or run in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from compecon.allocation.rules import RULES
from compecon.attention.policies import POLICIES
from compecon.compression.importance import IMPORTANCES
from compecon.incentives.costs import COSTS
from compecon.tasks.task_registry import TASKS

REGISTRIES = {"policy": POLICIES, "rule": RULES, "cost": COSTS, "importance": IMPORTANCES, "task": TASKS}
NAMES = {
    "policy": "weakest", "rule": "first-come", "cost": "open-heads", "importance": "by-index", "task": "moods",
}  # fmt: skip
LABELS = {
    "policy": "Weakest keys <b>&</b>",
    "rule": "First come, first served",
    "cost": "Share of heads",
    "importance": "Index of a unit",
    "task": "Moods",
}
FILES = {
    "policy": """
from dataclasses import dataclass

from compecon.attention import POLICIES, Policy


@POLICIES.register("weakest", label="Weakest keys <b>&</b>", short="weakest")
@dataclass(frozen=True)
class WeakestK(Policy):
    def merit(self, scores, layer):
        return -scores
""",
    "rule": """
from dataclasses import dataclass

import numpy as np

from compecon.allocation.rules import RULES
from compecon.allocation.rules.rule import Rule


@RULES.register("first-come", label="First come, first served")
@dataclass(frozen=True)
class FirstCome(Rule):
    def allocate(self, utility, budget):
        curves, budget = self._prepared(utility, budget)
        wanted = np.minimum(curves.most, curves.cap) - curves.floor
        left = budget - curves.floor.sum() - np.concatenate([[0.0], np.cumsum(wanted)[:-1]])
        return self._finished(curves, curves.floor + np.clip(left, 0.0, wanted), budget)
""",
    "cost": """
from contextlib import contextmanager

import torch

from compecon.incentives.costs import COSTS
from compecon.incentives.costs.cost import ComputeCost, required


@COSTS.register("open-heads", label="Share of heads", removes_work=True)
class OpenHeads(ComputeCost):
    @contextmanager
    def metered(self, model, gates):
        learnt = required(gates, self)
        yield lambda _: torch.cat(learnt.chance_open().heads).mean()

    def share(self, values, macs):
        return float((torch.cat(values.heads) != 0).double().mean())
""",
    "importance": """
import torch

from compecon.compression.importance import IMPORTANCES
from compecon.compression.importance.base import Importance
from compecon.compression.units import unit_macs


@IMPORTANCES.register("by-index", label="Index of a unit")
class ByIndex(Importance):
    def score(self, model, batches, loss):
        return unit_macs(model, 1).map(lambda part: 1 + torch.arange(len(part), dtype=torch.float64))
""",
    "task": """
import numpy as np

from compecon.tasks.task import Split, Task
from compecon.tasks.task_metrics import accuracy
from compecon.tasks.task_registry import TASKS


@TASKS.register(
    "moods", label="Moods", title="Is a message glad?", kind="classification", labels=("negative", "positive"),
    metrics=(accuracy,), source="these lines", licence="public domain", is_made=True,
)
def read_moods():
    rows = Split(("so bad", "very good") * 8, (), np.array([0, 1] * 8))
    parts = {name: rows for name in ("train", "dev", "test")}
    return Task("moods", "classification", ("negative", "positive"), parts, (accuracy,))
""",
}


def install(site: Path, files: Mapping[str, str], package: str = "outside") -> None:
    """Write a distribution into a folder for the module path: a module for each file, and an entry point for it."""
    about = site / f"{package.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    modules = {name: f"{package.replace('-', '_')}_{name}" for name in files}
    points = "\n".join(f"{name} = {module}" for name, module in modules.items())
    (about / "entry_points.txt").write_text(f"[compecon.methods]\n{points}\n")
    for name, module in modules.items():
        (site / f"{module}.py").write_text(files[name])


@contextmanager
def registered(*kinds: str) -> Iterator[None]:
    """Run these files here; what they register is gone afterwards. Without any: keep what others register apart."""
    before = {kind: dict(registry._known) for kind, registry in REGISTRIES.items() if len(registry)}
    try:
        for kind in kinds:
            exec(compile(FILES[kind], f"outside_{kind}.py", "exec"), {"__name__": f"outside_{kind}"})  # noqa: S102
        yield
    finally:
        for kind, registry in REGISTRIES.items():
            registry._known = before[kind]
