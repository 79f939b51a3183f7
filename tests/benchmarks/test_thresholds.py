"""Tables of predicted thresholds at toy size, and what is said when the texts are missing."""

import numpy as np
import pytest

from compecon.allocation.streams.predicted_value import gains
from compecon.allocation.streams.stream import Stream
from compecon.benchmarks import thresholds
from compecon.benchmarks.figures import Settings
from compecon.errors import CompeconError
from compecon.studies.predicted_streams import KnownTexts


def known(name, seed):
    rng = np.random.default_rng(seed)
    hard = rng.integers(0, 3, 40)
    correct = (np.arange(3) >= hard[:, None]).astype(float)
    stream = Stream(name, tuple(map(str, range(40))), np.tile([1.0, 2.0, 4.0], (40, 1)), correct, unit="keys")
    return KnownTexts(stream, {"toy": np.column_stack([hard, rng.standard_normal(40)])})


def test_errors_are_told_inside_and_on_the_other_stream():
    table = thresholds.errors_table([("a", known("a-keys", 0)), ("b", known("b-keys", 1))])
    labels = [figure.label for figure in table.figures]
    assert sum("in distribution" in label for label in labels) == 2
    assert sum("tested on" in label for label in labels) == 2
    assert all(np.isfinite(figure.values).all() for figure in table.figures)


def test_gains_are_told_for_every_level_with_their_intervals():
    each = known("a-keys", 0)
    found = gains(each.stream, each.features["toy"])
    table = thresholds.gains_table("keys", found)
    assert len(table.figures) == 4 * len(found)
    assert [figure.values[0] for figure in table.figures[::4]] == [gain.same for gain in found]
    assert all("95% [" in figure.label for figure in table.figures if figure.label.startswith("  "))


def test_without_the_texts_it_says_what_to_set(monkeypatch):
    monkeypatch.delenv("COMPECON_DATA", raising=False)
    with pytest.raises(CompeconError, match="Set COMPECON_DATA"):
        thresholds.measure(Settings(quick=True))
