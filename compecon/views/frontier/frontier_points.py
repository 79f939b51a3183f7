"""Points of the frontier: a checkpoint, a run or a quoted result, with all that is known of its quality and cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar, final

from compecon.files.safe_reader import sentence_of

Item = TypeVar("Item")
Made = TypeVar("Made")
Origin: TypeAlias = Literal["bundled", "run", "experiment", "local", "quoted"]
State: TypeAlias = Literal["done", "running", "failed"]


@final
@dataclass(frozen=True)
class Reading:
    """A number with the ends of its 95% interval; None where it is exact or the interval is unknown."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def ends(self) -> tuple[float, float] | None:
        """Both ends of the interval; None without one."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def overlaps(self, other: Reading) -> bool:
        """Whether the intervals have a number in common; a number without an interval is one of its own."""
        (low, high), (low_2, high_2) = (one.ends or (one.value, one.value) for one in (self, other))
        return low <= high_2 and low_2 <= high


@final
@dataclass(frozen=True)
class CurvePoint:
    """A checkpoint's quality at one key budget."""

    keys: int | None  # keys a query may read; None for all of them
    # Attention reads of one text at that budget; None if unknown. No latency: every key is still scored.
    reads: float | None
    metric: Reading  # the task's metric at that budget


@final
@dataclass(frozen=True)
class OtherSplit:
    """The same checkpoint on another split of its task."""

    split: str
    quality: Reading  # the metric there
    change: Reading | None = None  # the metric there minus that of its dense parent; None unless both were measured
    rows: int | None = None  # units that were measured; None if unknown


@final
@dataclass(frozen=True)
class ModelSize:
    """Sizes of a model; what is unknown is empty."""

    parameters: int | None = None  # stored weights
    heads: tuple[int, ...] = ()  # heads left, a layer
    neurons: tuple[int, ...] = ()  # FFN neurons left, a layer
    is_causal: bool = False  # whether a query sees only what is before it

    def reads(self, n_tokens: int, keys: int | None = None) -> int:
        """Keys that all queries of one text read, summed over all heads.

        Args:
            n_tokens: Length of the text.
            keys: Keys a query may read; None for all it sees.
        """
        most = n_tokens if keys is None else min(keys, n_tokens)
        pairs = most * n_tokens - (most * (most - 1) // 2 if self.is_causal else 0)
        return sum(self.heads) * pairs


@final
@dataclass(frozen=True)
class Training:
    """How a model came about; what is unknown is None."""

    parent: str = ""  # name of its dense parent, or ""
    seed: int | None = None
    price: float | None = None  # price of compute, in task loss for all of the dense cost
    target: float | None = None  # target share of the MACs of heads and neurons
    met: bool | None = None  # whether the gates met the target by themselves
    # share of the MACs of heads and neurons that is left, as stated by its gates or its pruning
    left: float | None = None


@final
@dataclass(frozen=True)
class FrontierPoint:
    """One mark on the frontier, whatever it came from."""

    key: str  # unique among all points: "bundled/sentiment-45", "run/<run_id>", "sst2/<run's name>", "quoted/..."
    name: str  # for people; two of one name get a distinguishing tail
    family: str  # what its line has in common: "dense", "incentive", "taylor, no recovery", "quoted"
    origin: Origin
    task: str  # the task, by the name of its data set, such as "sst2"
    metric: str
    split: str
    state: State = "done"
    higher_is_better: bool = True
    quality: Reading | None = None  # the metric; None while there is none
    change: Reading | None = None  # the metric minus that of its own dense parent; None unless both were measured
    rows: int | None = None  # units that quality was measured on; None if unknown
    floor: float | None = None  # quality of always giving the same answer; None if unknown
    elsewhere: tuple[OtherSplit, ...] = ()  # the same on other splits
    curve: tuple[CurvePoint, ...] = ()  # quality against the key budget, rising keys, all keys last; () if not measured
    # What is known, by the axis' name: "macs" of one text, "share" of the dense parent's MACs, "parameters", "latency"
    # (time by the dense parent's, measured), "reads" of attention, "training_macs" after the dense parent. "latency: "
    # and a setting is the time in that setting. Less is better in each.
    costs: Mapping[str, Reading] = field(default_factory=dict)
    n_tokens: int | None = None  # length of the text that MACs and reads are of
    device: str = ""  # the setting that "latency" was measured in, device first; "" if it was not
    size: ModelSize = ModelSize()  # its weights, heads and neurons
    training: Training = Training()  # how it came about
    checkpoint: str = ""  # what ``load_checkpoint`` takes; "" if there is none to open
    # of a size of an elastic checkpoint, what ``Checkpoint.at`` takes, 1 for the whole; None for any other checkpoint
    budget: float | None = None
    whole: str = ""  # of a size of an elastic checkpoint, the key of the whole; "" for any other
    setting: str = ""  # for quoted points, how their setting differs from ours; else ""
    source: str = ""  # where the numbers are from, in one line
    facts: tuple[tuple[str, str], ...] = ()  # settings worth a look, name and value; "" where unknown
    signs: tuple[str, ...] = ()  # failure signatures, a sentence each

    def cost(self, name: str) -> float | None:
        """One of its costs; None if unknown."""
        return self.costs[name].value if name in self.costs else None


@final
@dataclass(frozen=True)
class CollectedPoints:
    """Points, and name and reason of what could not become one."""

    points: tuple[FrontierPoint, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    def __add__(self, other: CollectedPoints) -> CollectedPoints:
        return CollectedPoints(self.points + other.points, self.left_out + other.left_out)


def each(
    items: Iterable[Item], make: Callable[[Item], Made], title: Callable[[Item], str]
) -> tuple[list[Made], tuple[tuple[str, str], ...]]:
    """What could be made of items of unknown origin, and the title of each other one with the reason it raised."""
    made, left_out = [], []
    for item in items:
        try:
            made.append(make(item))
        except Exception as error:  # noqa: BLE001 - one bad item does not take the others with it
            left_out.append((title(item), sentence_of(error)))
    return made, tuple(left_out)
