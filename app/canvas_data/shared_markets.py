"""Markets and what rules do in them, computed once for all sessions."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from compecon.allocation.streams.bundled_streams import StreamEntry, list_streams, open_stream
from compecon.allocation.streams.curves_file import read_curves
from compecon.allocation.streams.prices import read_prices
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.errors import StreamError
from compecon.paths import file_stamp
from compecon.runs.home import Home
from compecon.views.allocation.canvas_data import canvas_table, playback
from compecon.views.allocation.choice_names import Belief
from compecon.views.allocation.market_data import Market, drawn_market, formula_market, measured_market
from compecon.views.allocation.rule_view import budget_points
from compecon.views.allocation.rules_compared import rule_courses

FILE = "file"
_LONGEST = 80  # characters of an upload's name
OWN = "own:"  # begins the name of a stream that was measured here


def streams() -> Mapping[str, str]:
    """What can be allocated: names and titles."""
    measured = {entry.name: f"Measured · {entry.name}" for entry in list_streams()}
    own = {f"{OWN}{entry.name}": f"Measured here · {entry.name}" for entry in _own_streams()[0]}
    return {**measured, **own, **{name: f"Synthetic · {name}" for name in MIXTURES}, FILE: "Your file"}


def own_streams_problem() -> str:
    """Why streams that were measured here cannot be listed; "" if nothing is wrong."""
    return _own_streams()[1]


def _own_streams() -> tuple[tuple[StreamEntry, ...], str]:
    """Streams that were measured with `compecon stream`; none, and why, if their index is damaged."""
    try:
        return list_streams(Home.default().streams), ""
    except StreamError as error:
        return (), str(error)


def market_of(stream: str, belief: Belief, noise: float) -> Market:
    """A measured or synthetic market: one of `streams`, but not `FILE`; belief and noise are for synthetic ones.

    Raises:
        StreamError: If it was measured here, and its file is damaged or gone.
    """
    if not stream.startswith(OWN):
        return _market_of(stream, belief, noise)
    name, folder = stream.removeprefix(OWN), Home.default().streams
    return _own_market(name, folder, file_stamp(folder / f"{name}.jsonl.gz"))


@lru_cache(maxsize=4)
def _own_market(name: str, folder: Path, _changed: tuple[int, int]) -> Market:
    stream = open_stream(name, folder)
    entry = next(entry for entry in list_streams(folder) if entry.name == name)
    return measured_market(stream, entry, is_bundled=False)


@lru_cache(maxsize=8)
def _market_of(stream: str, belief: Belief, noise: float) -> Market:
    if stream in MIXTURES:
        return drawn_market(MIXTURES[stream], belief, noise)
    entry = next(entry for entry in list_streams() if entry.name == stream)
    return measured_market(open_stream(stream), entry)


@lru_cache(maxsize=2)  # uploads are held as its keys
def market_of_file(name: str, data: bytes, prices: tuple[str, bytes] | None = None) -> Market:
    """A market from an uploaded file, and the name and content of a price table if there is one.

    Raises:
        StreamError: If it is not a file of queries, its curves are no shares, or the prices are none.
    """
    with tempfile.TemporaryDirectory() as folder:
        table = None if prices is None else read_prices(_stored(Path(folder) / "prices", *prices))
        named = read_curves(_stored(Path(folder), name, data), prices=table)
    if named.kind == "surge":
        raise StreamError(
            f"{name[:_LONGEST]} has curves of a surge, whose value is no share of correct answers. "
            "Give ceiling in place of slope, or use compecon allocate."
        )
    if named.stream is None:
        return formula_market(name, named.queries, named.utility)
    return measured_market(named.stream)


def _stored(folder: Path, name: str, data: bytes) -> Path:
    """An upload as a file whose name is safe, and close enough to be recognised in a message."""
    folder.mkdir(exist_ok=True)
    path = folder / re.sub(r"[^\w.-]+", "-", name)[-_LONGEST:].lstrip(".-")
    path.write_bytes(data)
    return path


points_of = lru_cache(maxsize=16)(budget_points)
courses_of_rules = lru_cache(maxsize=4)(rule_courses)
playback_of = lru_cache(maxsize=32)(playback)


@lru_cache(maxsize=16)
def table_of(market: Market, rule: str) -> dict[str, Any]:
    """A rule at its stops of the bar, for the canvas."""
    return canvas_table(market, points_of(market, rule))
