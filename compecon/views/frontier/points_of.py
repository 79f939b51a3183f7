"""Points of the frontier: a checkpoint, a run or a quoted result, with all that is known of its quality and cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar, final

from compecon.files.safe_reader import sentence_of

Item = TypeVar("Item")
Made = TypeVar("Made")
Origin: TypeAlias = Literal["bundled", "run", "experiment", "local", "quoted"]
State: TypeAlias = Literal["done", "running", "failed"]
NO_COSTS: Mapping[str, Reading] = MappingProxyType({})


@final
@dataclass(frozen=True)
class Reading:
    """A number with its interval.

    Attributes:
        value: The number.
        low: Lower end of its 95% interval; None if it is exact, or nobody said.
        high: Upper end.
    """

    value: float
    low: float | None = None
    high: float | None = None


@final
@dataclass(frozen=True)
class CurvePoint:
    """A checkpoint's quality at one key budget.

    Attributes:
        keys: Keys a query may read; None for all of them.
        reads: Attention reads of one text at that budget; None if unknown. No latency: every key is still scored.
        metric: The task's metric at that budget.
    """

    keys: int | None
    reads: float | None
    metric: Reading


@final
@dataclass(frozen=True)
class OtherSplit:
    """The same checkpoint on another split of its task.

    Attributes:
        split: Name of the split.
        quality: The metric there.
        change: The metric there minus that of its dense parent; None if nobody measured both.
        rows: Units that were measured; None if unknown.
    """

    split: str
    quality: Reading
    change: Reading | None = None
    rows: int | None = None


@final
@dataclass(frozen=True)
class Shift:
    """Where a change in how unequally queries read comes from.

    Attributes:
        dense: In all heads of the dense parent.
        survivors: In those of its heads that were kept.
        smaller: In the smaller model.
    """

    dense: float
    survivors: float
    smaller: float


@final
@dataclass(frozen=True)
class FrontierPoint:
    """One mark on the frontier, whatever it came from.

    Attributes:
        key: Unique among all points: "bundled/sentiment-45", "run/<run_id>", "sst2/<run's name>", "quoted/...".
        name: For people; two of one name get a distinguishing tail.
        family: What its line has in common: "dense", "incentive", "taylor, no recovery", "quoted".
        origin: Where it comes from.
        state: Whether it is finished.
        task: The task, by the name of its data set, such as "sst2".
        metric: Name of the task's metric.
        split: What it was measured on.
        higher_is_better: Direction of the metric.
        quality: The metric; None while there is none.
        change: The metric minus that of its own dense parent; None if nobody measured both.
        costs: What is known, by the axis' name: "macs" of one text, "share" of the dense parent's MACs, "parameters",
            "latency" (time by the dense parent's, measured), "reads" of attention, "training_macs" after the dense
            parent. "latency: " and a setting is the time in that setting. Less is better in each.
        n_tokens: Length of the text that MACs and reads are of.
        device: The setting that "latency" was measured in, device first; "" if it was not.
        seed: Seed of its training.
        price: Price of compute, in task loss for all of the dense cost.
        target: Share of the MACs of heads and neurons that was asked for.
        met: Whether the gates met the target by themselves.
        heads: Heads kept, a layer; () if unknown.
        neurons: FFN neurons kept, a layer; () if unknown.
        checkpoint: What ``load_checkpoint`` takes; "" if there is none to open.
        run_id: The run it is, or "".
        setting: For quoted ones, in what they differ from ours; else "".
        source: Where the numbers are from, in one line.
        facts: Settings worth a look, name and value.
        curve: Quality against the key budget, rising keys, all keys last; () if not measured.
        signs: Failure signatures, a sentence each.
        rows: Units that quality was measured on; None if unknown.
        floor: Quality of always giving the same answer; None if unknown.
        elsewhere: The same on other splits.
        parent: Name of its dense parent, or "".
        gini: Gini coefficient of what queries give, before and after; None if not measured.
        entropy: Their entropy in nats, likewise.
        left: Share of the MACs of heads and neurons that its gates, or its pruning, said are left.
    """

    key: str
    name: str
    family: str
    origin: Origin
    task: str
    metric: str
    split: str
    state: State = "done"
    higher_is_better: bool = True
    quality: Reading | None = None
    change: Reading | None = None
    costs: Mapping[str, Reading] = field(default_factory=lambda: NO_COSTS)
    n_tokens: int | None = None
    device: str = ""
    seed: int | None = None
    price: float | None = None
    target: float | None = None
    met: bool | None = None
    heads: tuple[int, ...] = ()
    neurons: tuple[int, ...] = ()
    checkpoint: str = ""
    run_id: str = ""
    setting: str = ""
    source: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    signs: tuple[str, ...] = ()
    rows: int | None = None
    floor: float | None = None
    elsewhere: tuple[OtherSplit, ...] = ()
    parent: str = ""
    gini: Shift | None = None
    entropy: Shift | None = None
    left: float | None = None


@final
@dataclass(frozen=True)
class CollectedPoints:
    """Points, and what could not become one.

    Attributes:
        points: The points.
        left_out: Name and reason of the others.
    """

    points: tuple[FrontierPoint, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    def joined(self, other: CollectedPoints) -> CollectedPoints:
        """Both."""
        return CollectedPoints(self.points + other.points, self.left_out + other.left_out)


def each(
    items: Iterable[Item], make: Callable[[Item], Made], title: Callable[[Item], str]
) -> tuple[list[Made], tuple[tuple[str, str], ...]]:
    """Make something of each item; whatever one raises is the reason why it is left out, and the others stay.

    Args:
        items: What anybody may have written: cards, runs.
        make: Makes something of one.
        title: What to call one that is left out.

    Returns:
        What was made, and name and reason of the others.
    """
    made, left_out = [], []
    for item in items:
        try:
            made.append(make(item))
        except Exception as error:  # noqa: BLE001 - one bad thing is one bad thing
            left_out.append((title(item), sentence_of(error)))
    return made, tuple(left_out)
