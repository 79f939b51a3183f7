"""Texts of measured streams, and the gains that come with them."""

import json

import numpy as np
import pytest

from compecon.allocation.streams.predicted_value import Gain
from compecon.allocation.streams.stream import Stream
from compecon.errors import StreamError
from compecon.studies.predicted_streams import KnownTexts, skill_inside, skill_outside, texts_of, write_gains


def made(seed, n=60):
    rng = np.random.default_rng(seed)
    levels, hard = np.tile([1.0, 2.0, 4.0], (n, 1)), rng.integers(0, 3, n)
    stream = Stream("made", tuple(map(str, range(n))), levels, (np.arange(3) >= hard[:, None]).astype(float))
    return KnownTexts(stream, {"toy": np.column_stack([hard, rng.standard_normal(n)])})


def test_a_query_is_found_in_its_task(opinions):
    stream = Stream("x", ("opinions-test-0003", "opinions-test-0000"), np.ones((2, 1)), np.ones((2, 1)))
    assert texts_of(stream, opinions) == [opinions.part("test").texts[3], opinions.part("test").texts[0]]


@pytest.mark.parametrize("query", ["other-test-0003", "opinions-test-9999"])
def test_a_query_of_another_task_is_refused(opinions, query):
    with pytest.raises(StreamError, match="is not a row of opinions"):
        texts_of(Stream("x", (query,), np.ones((1, 1)), np.ones((1, 1))), opinions)


def test_what_the_features_tell_is_predicted_inside_and_outside():
    inside, outside = skill_inside(made(0), "toy"), skill_outside(made(0), made(1), "toy")
    for found in (inside, outside):
        assert found.gain.low > 0.5
        assert found.rank.value > 0.9


def test_gains_are_written_as_they_are(tmp_path):
    found = write_gains(tmp_path, [(made(0), "toy")])
    rows = json.loads((tmp_path / "predicted.json").read_text(encoding="utf-8"))
    assert [row["mean_budget"] for row in rows] == [1, 2, 4]
    for row, gain in zip(rows, found, strict=True):
        assert isinstance(gain, Gain)
        assert row["hindsight"] == pytest.approx(list(gain.hindsight), abs=1e-6)
