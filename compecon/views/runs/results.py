"""The results of a run, as numbers with their names, and what it was expected to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from compecon.tasks.cut import Cut
from compecon.views.checked_values import flag, number, text
from compecon.views.spans import duration, size


@final
@dataclass(frozen=True)
class Fact:
    """A line of a table: a name and what is known, both as text."""

    name: str
    value: str


@final
@dataclass(frozen=True)
class Expectation:
    """A quantity as it was expected from two steps before the training, and as it was measured afterwards."""

    name: str
    expected: str
    was: str
    ratio: float | None  # measured by expected


def facts_of(results: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Quality, what was cut, MACs, latency and price of a training's result; what is not known is left out."""
    lines = (
        _metric("quality", results.get("metric")),
        _metric(f"quality of {text(results, 'parent') or 'the parent'}", results.get("parent_metric")),
        _difference(results),
        _read_of_texts(results),
        _macs(results),
        _share(results),
        _latency(results.get("latency")),
        _price(results),
        *_sizes(results),
    )
    return tuple(line for line in lines if line is not None)


def expectations_of(results: Mapping[str, Any]) -> tuple[Expectation, ...]:
    """Time, memory and disk: what was expected before the training, and what it took."""
    peak, base = number(results, "took", "peak_bytes"), number(results, "took", "base_bytes")
    used = peak - base if peak is not None and base is not None else None
    lines = (
        ("training time", number(results, "estimate", "seconds"), number(results, "took", "seconds"), duration),
        ("memory", number(results, "estimate", "memory_bytes"), used, size),
        ("disk", number(results, "estimate", "disk_bytes"), number(results, "took", "disk_bytes"), size),
    )
    return tuple(
        Expectation(name, words(before), words(was), was / before if before > 0 else None)
        for name, before, was, words in lines
        if before is not None and was is not None
    )


def _metric(name: str, metric: Any) -> Fact | None:
    value, low, high = (number(metric, key) for key in ("value", "low", "high"))
    if value is None:
        return None
    between = f", 95% interval {low:.3f}–{high:.3f}" if low is not None and high is not None else ""
    rows = number(metric, "n")
    measured = " ".join(filter(None, (text(metric, "name"), "on", text(metric, "split") or "the task")))
    return Fact(name, f"{value:.3f} {measured}{between}{f', {rows:,.0f} rows' if rows else ''}")


def _difference(results: Mapping[str, Any]) -> Fact | None:
    value, low, high = (number(results, "difference", key) for key in ("value", "low", "high"))
    if value is None:
        return None
    between = f", 95% interval {low:+.3f} to {high:+.3f} (paired)" if low is not None and high is not None else ""
    return Fact("difference", f"{value:+.3f}{between}".replace("-", "−"))


def _read_of_texts(results: Mapping[str, Any]) -> Fact | None:
    try:
        cut = Cut.read(results.get("cut"))
    except ValueError:  # the file may have been changed by anyone
        return None
    return None if cut is None else Fact("texts", str(cut))


def _macs(results: Mapping[str, Any]) -> Fact | None:
    now, before, n_tokens = (number(results, key) for key in ("macs", "parent_macs", "n_tokens"))
    if now is None or not before:
        return None
    length = f" at {n_tokens:.0f} tokens" if n_tokens else ""
    return Fact("MACs", f"{now / 1e6:,.1f} of {before / 1e6:,.1f} million per text{length}: {now / before:.0%}")


def _share(results: Mapping[str, Any]) -> Fact | None:
    share, target, met = number(results, "share"), number(results, "target"), flag(results, "met")
    if share is None:
        return None
    wanted = f", target {target:.1%}" if target is not None else ""
    by = {True: ", met by the gates", False: ", reached by a final cut", None: ""}[met if target is not None else None]
    return Fact("heads and neurons", f"{share:.1%} of their MACs remain{wanted}{by}")


def _latency(latency: Any) -> Fact | None:
    ratio, low, high = (number(latency, key) for key in ("ratio", "low", "high"))
    if ratio is None:
        return None
    between = f" ({low:.2f}–{high:.2f})" if low is not None and high is not None else ""
    batch, n_tokens = number(latency, "batch"), number(latency, "n_tokens")
    shape = f", batch {batch:.0f} of {n_tokens:.0f} tokens" if batch and n_tokens else ""
    return Fact("time of a forward pass", f"{ratio:.2f}{between} of the parent's, measured on this machine{shape}")


def _price(results: Mapping[str, Any]) -> Fact | None:
    price = number(results, "price")
    if price is None:
        return None
    return Fact("price when the gates were frozen", f"{price:.3g} (task loss for all of the dense cost)")


def _sizes(results: Mapping[str, Any]) -> Iterator[Fact | None]:
    """Quality of each size of an elastic checkpoint, by the metric and on the split of the whole."""
    sizes, shown = results.get("sizes"), [text(results, "metric", key) for key in ("name", "split")]
    for each in sizes if isinstance(sizes, list) else ():
        budget, metrics = number(each, "budget"), each.get("metrics") if isinstance(each, Mapping) else None
        if budget is None or not isinstance(metrics, list):
            continue
        same = (one for one in metrics if [text(one, key) for key in ("name", "split")] == shown)
        yield _metric(f"at {budget:.3g} of the MACs", next(same, None))
