"""Names of tasks, families and costs, and numbers as the Frontier page says them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compecon.tasks.task_registry import FILES, TASKS
from compecon.views.checked_values import text
from compecon.views.frontier.frontier_points import Reading

# What the bundled checkpoints call their tasks, and the data set that this is: the same test rows.
_TASKS = {"sentiment": "sst2", "similarity": "stsb", "entailment": "sick"}
_SYNTHETIC = " (synthetic)"  # after the name of a task whose texts compecon generates
_NEXT_TOKEN = {"causal": "Next token (WikiText-2 articles)"}  # of a bundled checkpoint; no task of its own
DENSE, LONGER, ANY_BUDGET, QUOTED, FIXED = "dense", "dense, trained longer", "any budget", "quoted", "fixed price"
INCENTIVE, HEADS_ONLY, NEURONS_ONLY = "incentive", "incentive, heads only", "incentive, neurons only"
_COST_UNITS = {"macs": "MACs", "training_macs": "MACs of training"}
_UNITS = {"heads": HEADS_ONLY, "neurons": NEURONS_ONLY}
_NO_RECOVERY = ", no recovery"
_IN_POINTS = 100  # a number above that is not a share of one
_LESS_IS_BETTER = ("perplexity", "loss", "nats", "error")
_METHODS = {"": DENSE, "budget dropout": ANY_BUDGET, "longer": LONGER}


def task_of(name: str) -> str:
    """The data set's name for a task that a card may call by what it is about, and a run with options behind it."""
    path, _, _ = name.partition("?")
    plain = Path(path.removeprefix(FILES)).stem if path.startswith(FILES) else path
    plain = plain.removesuffix(_SYNTHETIC)
    return _TASKS.get(plain, plain)


def task_title(task: str) -> str:
    """A task for people."""
    return TASKS[task].label if task in TASKS else _NEXT_TOKEN.get(task, task)


def is_higher_better(metric: str) -> bool:
    """Direction of a metric whose record does not state it."""
    return not metric.startswith(_LESS_IS_BETTER)


def family_of(method: str, *, recovered: bool = True, settings: Any = None) -> str:
    """The family of a method as records name it.

    Args:
        method: "dense", "incentive", "incentive-heads", "price 1", "budget dropout", "taylor", "pruned by taylor", ...
        recovered: Whether what was left was trained on.
        settings: Of an incentive training, as its record states them; for its units and whether its price was fixed.
    """
    name = method.strip().lower().removeprefix("pruned by ")
    if name.startswith(INCENTIVE):
        units = name.removeprefix(INCENTIVE).strip("- ") or text(settings, "incentive", "units")
        incentive = settings.get("incentive") if isinstance(settings, Mapping) else None
        is_fixed = isinstance(incentive, Mapping) and incentive.get("target", "") is None
        return _UNITS.get(units, FIXED if is_fixed else INCENTIVE)
    if name.startswith("price"):
        return FIXED
    if name in _METHODS or name == DENSE:
        return _METHODS.get(name, DENSE)
    return name[:40] + ("" if recovered else _NO_RECOVERY)


def scale_of(metric: str) -> int:
    """What people multiply a metric by: 100 for points, 1 for what is read as it is, such as a perplexity."""
    return 100 if is_higher_better(metric) else 1


def in_points(value: float, metric: str) -> str:
    """A metric as people read it: in points of a hundred; a perplexity as it is."""
    is_share = is_higher_better(metric) and abs(value) < _IN_POINTS
    return (f"{100 * value:.1f}" if is_share else f"{value:.4g}").replace("-", "−")


def change_in_points(value: float, metric: str) -> str:
    """A change of a metric: "+0.2 points", "−1.2 points"."""
    is_share = is_higher_better(metric) and abs(value) < _IN_POINTS
    return (f"{100 * value:+.1f} points" if is_share else f"{value:+.3g}").replace("-", "−")


def interval(reading: Reading, metric: str) -> str:
    """An interval in brackets, after a space; "" where none is known."""
    return "" if reading.ends is None else f" [{', '.join(in_points(end, metric) for end in reading.ends)}]"


def cost_in_words(name: str, value: float) -> str:
    """A cost with its unit: "60.5 million MACs", "45.1% of the dense MACs", "0.51 of the dense time"."""
    kind = name.partition(":")[0]
    if kind == "share":
        return f"{value:.1%} of the dense MACs" if value < _IN_POINTS else f"{value:.3g} times the dense MACs"
    if kind == "latency":
        return f"{value:.2f} of the dense time" if value < _IN_POINTS else f"{value:.3g} times the dense time"
    return f"{_large(value)} {_COST_UNITS.get(kind, kind)}"


def _large(value: float) -> str:
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if abs(value) >= size:
            return f"{value / size:.3g}{word}"
    return f"{value:,.0f}"
