"""Sizes of an elastic checkpoint as a stream: each is that of an ordinary compacted checkpoint of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.save import save_checkpoint
from compecon.compression.elastic.price_list import PriceList
from compecon.compression.elastic.sizes_offered import sizes_offered
from compecon.compression.units import UnitMacs, Units
from compecon.errors import CheckpointError
from compecon.flops import forward_macs
from compecon.views.attention import size_times
from compecon.views.attention.attention_stream import AttentionRequest, attention_stream
from compecon.views.attention.frames import Message, encode
from tests.support.elastic import BUDGETS, made_elastic
from tests.support.small_models import three_layers
from tests.support.tokenizers import LOADER, in_this_process

TEXT = "the film was great , but the end was unwatchable ."
WIDE = {"vocab_size": 20, "initializer_range": 0.6}
Load = Callable[[str], Checkpoint]


@pytest.fixture(params=["classification", "causal-lm"])
def elastic(request: pytest.FixtureRequest, load: Load) -> Checkpoint:
    """Three layers of six heads, in no order."""
    model = three_layers(request.param, n_heads=6, n_neurons=40)
    return made_elastic(replace(load(request.param), model=model))


def messages(checkpoint: Checkpoint, **request: Any) -> list[Message]:
    return list(attention_stream(checkpoint, checkpoint.encode(TEXT), AttentionRequest(**request)))


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, numbers to 1e-5."""
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == pytest.approx(other, abs=1e-5)) if isinstance(one, float) else bool(one == other)


def test_a_size_answers_message_by_message_as_the_compacted_checkpoint_that_is_saved_from_it(
    elastic: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOADER, in_this_process)
    assert elastic.elastic is not None
    for size in sizes_offered(elastic.elastic.prices)[1:]:
        own = elastic.at(size)
        alone = load_checkpoint(save_checkpoint(own.model, own.tokenizer, tmp_path / f"{size}"), "cpu")
        got, expected = messages(elastic, size=size), messages(alone)
        assert [m.kind for m in got] == [m.kind for m in expected]
        for one, other in zip(got[:-1], expected[:-1], strict=True):  # the last one says how long it took
            others = {"checkpoint", "digest", "size", "sizes"} if one.kind == "open" else set()
            left, right = (
                {name: value for name, value in m.fields.items() if name not in others} for m in (one, other)
            )
            assert same(left, right)
            assert one.arrays.keys() == other.arrays.keys()
            for name, array in one.arrays.items():
                np.testing.assert_allclose(array, other.arrays[name], atol=1e-5 if array.dtype != np.float16 else 1e-3)
            assert encode(one)


def test_the_opening_lists_the_sizes_with_their_units_and_macs(elastic: Checkpoint) -> None:
    opening = messages(elastic, budgets=(1,))[0].fields
    assert elastic.elastic is not None
    n, sizes = len(opening["tokens"]), opening["sizes"]
    assert opening["size"] == 1.0
    assert [each["size"] for each in sizes] == list(sizes_offered(elastic.elastic.prices))
    assert sizes[0] == {"size": 1.0, "macs": opening["macs"]["executed"], "heads": 18, "neurons": 3 * _width(elastic)}
    for each in sizes:
        shown = messages(elastic, budgets=(1,), size=each["size"])[0].fields
        assert (shown["size"], shown["sizes"]) == (each["size"], sizes)
        assert shown["macs"]["executed"] == each["macs"]
        assert len(shown["removed"]) == 18 - each["heads"]
        if elastic.kind == "causal-lm":  # a classifier's last layer is drawn at all positions, and runs at one
            assert each["macs"] == forward_macs(elastic.at(each["size"]).model, n)
    assert all(larger["macs"] > smaller["macs"] for larger, smaller in pairwise(sizes))


def _width(checkpoint: Checkpoint) -> int:
    return 40 if checkpoint.kind == "classification" else 96


def test_a_checkpoint_of_one_size_says_nothing_of_sizes(load: Load) -> None:
    assert not {"size", "sizes"} & messages(load("classification"), budgets=(1,))[0].fields.keys()


def test_every_size_is_timed_against_the_whole_from_the_largest_on_and_again_with_more_rounds(
    elastic: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, list[Any]]] = []

    def timed(sides: Sequence[Callable[[], Any]], *, repeats: int, **_: Any) -> list[list[float]]:
        given.append((repeats, [side()[0] for side in sides]))
        return [[0.001 * (i + 1) * len(given) * (side + 1) for i in range(repeats)] for side in range(2)]

    monkeypatch.setattr(size_times, "in_turns", timed)
    encoded = elastic.encode(TEXT)
    got = list(size_times.size_times(elastic, encoded))
    assert elastic.elastic is not None
    sizes = sizes_offered(elastic.elastic.prices)
    assert [m.fields["size"] for m in got] == [*sizes, *sizes]
    for message, (rounds, (whole, own)) in zip(got, given, strict=True):
        with torch.inference_mode():
            small = elastic.at(message.fields["size"]).model(**encoded.batch)[0]
            dense = elastic.model(**encoded.batch)[0]
        torch.testing.assert_close(own, small)
        torch.testing.assert_close(whole, dense)
        assert rounds == size_times.ROUNDS[0] or message.fields["rounds"] == sum(size_times.ROUNDS)
    times = got[1].fields  # the second answer of all: 1 to 5 times 2 ms of the whole, twice that of the size
    assert (times["whole_low"], times["whole_ms"], times["whole_high"]) == (4.0, 6.0, 8.0)
    assert (times["low"], times["ms"], times["high"], times["rounds"]) == (8.0, 12.0, 16.0, 5)
    both = [2.0 * (i + 1) for i in range(5)] + [(len(sizes) + 2.0) * (i + 1) for i in range(16)]
    assert got[len(sizes) + 1].fields["whole_ms"] == pytest.approx(np.median(both))  # samples of both times
    assert times["n_tokens"] == len(encoded.tokens)
    assert (times["threads"], times["device"]) == (torch.get_num_threads(), "cpu")


def test_timing_ends_once_nobody_reads_it_and_refuses_a_single_size(elastic: Checkpoint, load: Load) -> None:
    encoded, reads = elastic.encode(TEXT), iter([True, True, False])
    assert len(list(size_times.size_times(elastic, encoded, wanted=lambda: next(reads)))) == 2
    with pytest.raises(CheckpointError, match="single size"):
        next(size_times.size_times(load("classification"), encoded))


def test_the_whole_is_the_checkpoint_as_it_is(elastic: Checkpoint) -> None:
    one, other = (messages(elastic, size=size, budgets=(2,)) for size in (1.0, None))
    assert one[0].fields == other[0].fields
    np.testing.assert_array_equal(one[1].arrays["weights"], other[1].arrays["weights"])


@pytest.mark.parametrize("size", [0.0, 0.39, 1.01, float("nan"), -1.0], ids=str)
def test_a_size_that_there_is_not_is_refused_with_those_that_there_are(elastic: Checkpoint, size: float) -> None:
    with pytest.raises(CheckpointError, match=r"from 0\.4"):
        messages(elastic, size=size)


def test_a_size_of_a_checkpoint_that_has_one_is_refused(load: Load) -> None:
    with pytest.raises(CheckpointError, match="single size"):
        messages(load("classification"), size=0.5)


def listed(*bought: tuple[float, int], n_units: int = 40) -> PriceList:
    """Units of one MAC each, of which budgets buy so many."""
    ones = Units((torch.linspace(2, 1, n_units, dtype=torch.float64),), (torch.zeros(0, dtype=torch.float64),))
    macs = UnitMacs((torch.ones(n_units),), (torch.ones(0),), float(n_units))
    kept = {budget: ones.map(lambda part, n=n: (torch.arange(len(part)) < n).float()) for budget, n in bought}
    return PriceList.of(ones, macs, kept, 4)[0]


def test_stops_are_the_trained_sizes_and_their_means_and_each_buys_less_than_the_one_before() -> None:
    assert sizes_offered(listed((1.0, 40), (0.5, 20), (0.1, 4))) == (1.0, 0.707, 0.5, 0.224, 0.1)
    assert sizes_offered(listed((1.0, 40), (0.98, 39))) == (1.0, 0.98)  # their mean buys what the smaller one does
    assert sizes_offered(listed((0.5, 20), (0.25, 10))) == (1.0, 0.707, 0.5, 0.354, 0.25)  # the whole is there too
    rest = listed((0.5, 20), n_units=40)
    whole = replace(rest, columns=rest.columns[:20], values=rest.values[:20])
    assert sizes_offered(whole) == (1.0,)  # half of the dense model was removed before


@pytest.mark.parametrize("budgets", [BUDGETS, (1.0, 0.99, 0.7, 0.69, 0.4), (0.9, 0.35)], ids=str)
def test_every_stop_buys_less_than_the_one_before_of_any_model(load: Load, budgets: tuple[float, ...]) -> None:
    made = made_elastic(load("causal-lm"), budgets).elastic
    assert made is not None
    sizes = sizes_offered(made.prices)
    numbers = [made.prices.number(size) for size in sizes]
    assert sizes[0] == 1.0
    assert all(larger > smaller for larger, smaller in pairwise(sizes))
    assert all(larger > smaller for larger, smaller in pairwise(numbers))
    assert set(made.prices.bought.values()) <= set(numbers)
