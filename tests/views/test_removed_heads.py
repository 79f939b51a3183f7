"""Heads that were removed: their places stay, empty, and the others are as if they were switched off."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from compecon.attention.recorded import LayerAttention
from compecon.checkpoints.load import Checkpoint
from compecon.compression.compact_model import compact
from compecon.compression.families import layers_of, unit_counts
from compecon.compression.scaled import scaled
from compecon.compression.units import Units, unit_macs
from compecon.views.attention.attention_stream import AttentionRequest, attention_stream
from compecon.views.attention.budget_grid import Scope
from compecon.views.attention.frame_arrays import FrameArrays
from compecon.views.attention.frames import Message, encode
from compecon.views.attention.head_places import HeadGrid
from tests.support.small_models import three_layers

TEXT = "the film was great , but the end was unwatchable ."
LONG = "the film was great and long , but the end was bad . " * 6
KEPT = {
    "some of each layer": [[1, 3], [0], [0, 1, 2]],
    "a layer without heads": [[0, 2], [], [3]],
    "no head in the first layer": [[], [1, 2], [0, 1, 2, 3]],
    "one head in the last": [[], [], [2]],
}
SIZES = {"vocab_size": 20, "initializer_range": 0.6}
Load = Callable[[str], Checkpoint]


@pytest.fixture(params=["classification", "causal-lm"])
def dense(request: pytest.FixtureRequest, load: Load) -> Checkpoint:
    """A checkpoint of three layers of four heads."""
    model = three_layers(request.param, n_heads=4, n_neurons=32)
    return replace(load(request.param), model=model)


def units_of(checkpoint: Checkpoint, kept: list[list[int]]) -> Units:
    """These heads, and two of three neurons."""
    layers = layers_of(checkpoint.model)
    heads = [torch.tensor([h in left for h in range(layer.n_heads)]) for left, layer in zip(kept, layers, strict=True)]
    return Units(tuple(heads), tuple(torch.arange(layer.n_neurons) % 3 > 0 for layer in layers))


def compacted(checkpoint: Checkpoint, kept: list[list[int]]) -> Checkpoint:
    return replace(checkpoint, model=compact(checkpoint.model, units_of(checkpoint, kept)).eval())


def messages(checkpoint: Checkpoint, text: str = TEXT, **request: object) -> list[Message]:
    encoded = checkpoint.encode(text)
    return list(attention_stream(checkpoint, encoded, AttentionRequest(**request)))  # type: ignore[arg-type]


def gone(kept: list[list[int]]) -> np.ndarray:
    return np.array([[h not in left for h in range(4)] for left in kept])


def by_head(message: Message, name: str) -> np.ndarray:
    """An array of a frame with layer and head as its first dimensions."""
    array = message.arrays[name]
    return np.moveaxis(array, (-2, -1), (0, 1)) if name == "statistics" else array


@pytest.mark.parametrize(
    ("kept", "text"),
    [*((kept, TEXT) for kept in KEPT.values()), (KEPT["a layer without heads"], LONG)],
    ids=[*KEPT, "a long text"],
)
def test_the_others_are_what_they_are_in_the_dense_model_with_the_removed_ones_switched_off(
    dense: Checkpoint, kept: list[list[int]], text: str
) -> None:
    small, empty = compacted(dense, kept), gone(kept)
    with scaled(dense.model, units_of(dense, kept).map(lambda part: part.float())):
        expected = [m for m in messages(dense, text) if m.kind == "frame"]
    got = [m for m in messages(small, text) if m.kind == "frame"]
    assert [m.fields["k"] for m in got] == [m.fields["k"] for m in expected]
    for one, other in zip(got, expected, strict=True):
        assert one.fields["change"] == pytest.approx(other.fields["change"], abs=1e-4)
        for name in ("weights", "statistics", "moved"):
            assert np.isnan(by_head(one, name)[empty]).all()
            np.testing.assert_allclose(by_head(one, name)[~empty], by_head(other, name)[~empty], atol=2e-3)


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_the_opening_names_what_was_removed(dense: Checkpoint, kept: list[list[int]]) -> None:
    opening = messages(compacted(dense, kept), budgets=(1,))[0].fields
    assert opening["heads"] == [4, 4, 4]
    assert opening["removed"] == [(layer, h) for layer in range(3) for h in range(4) if h not in kept[layer]]
    assert opening["sent"] == {"layers": [0, 1, 2], "heads": [0, 1, 2, 3]}


def test_nothing_was_removed_from_a_dense_model(dense: Checkpoint) -> None:
    opening = messages(dense, budgets=(1,))[0].fields
    assert (opening["heads"], opening["removed"]) == ([4, 4, 4], [])


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_the_macs_are_those_of_what_is_left(dense: Checkpoint, kept: list[list[int]]) -> None:
    small = compacted(dense, kept)
    n = len(small.encode(TEXT).tokens)
    whole, left = (messages(checkpoint, budgets=(1,))[0].fields["macs"] for checkpoint in (dense, small))
    costs = unit_macs(dense.model, n)
    head, neuron = (float(kind[0][0]) for kind in (costs.heads, costs.neurons))  # in a layer that is computed whole
    units = sum(heads * head + neurons * neuron for heads, neurons in unit_counts(small.model))
    assert left["executed"] == units + whole["executed"] - costs.dense
    n_left = sum(map(len, kept))
    assert [12 * read for read in left["read"]] == [n_left * read for read in whole["read"]]
    assert 12 * left["scored"] == n_left * whole["scored"]


@pytest.mark.parametrize("scope", [Scope(1), Scope(2, 1)])
def test_a_narrow_scope_sends_the_places_it_says(dense: Checkpoint, scope: Scope) -> None:
    small = compacted(dense, KEPT["some of each layer"])
    wide, narrow = (messages(small, scope=s, budgets=(3,))[2].arrays["weights"] for s in (Scope(), scope))
    np.testing.assert_array_equal(narrow, wide[np.ix_(*scope.extent(3, 4))])


def test_a_layer_without_heads_can_be_asked_for(dense: Checkpoint) -> None:
    small = compacted(dense, KEPT["a layer without heads"])
    assert np.isnan(messages(small, scope=Scope(1), budgets=(3,))[2].arrays["weights"]).all()


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_every_message_can_be_sent(dense: Checkpoint, kept: list[list[int]]) -> None:
    for message in messages(compacted(dense, kept)):
        assert encode(message)


def test_a_model_that_is_compacted_again_keeps_the_first_models_places(dense: Checkpoint) -> None:
    once = compacted(dense, [[0, 1, 3], [0, 1, 2, 3], [1, 3]])
    layers = layers_of(once.model)
    keep = Units(
        (torch.tensor([False, True, True]), torch.zeros(4), torch.tensor([False, True])),
        tuple(torch.ones(layer.n_neurons) for layer in layers),
    )
    twice = replace(once, model=compact(once.model, keep).eval())
    removed = messages(twice, budgets=(1,))[0].fields["removed"]
    assert json.loads(json.dumps(removed)) == [[0, 0], [0, 2], [1, 0], [1, 1], [1, 2], [1, 3], [2, 0], [2, 1], [2, 2]]


def test_heads_in_any_order_are_drawn_in_their_own_places() -> None:
    weights = torch.rand(1, 4, 3, 3, generator=torch.Generator().manual_seed(0)).softmax(-1)
    visible, content = torch.ones(1, 1, 3, 3, dtype=torch.bool), torch.ones(3, dtype=torch.bool)
    for scope in (Scope(), Scope(0, 2)):
        wrong = []
        for kept in (order for length in range(1, 5) for order in permutations(range(4), length)):
            given = LayerAttention(0, "encoder", weights[:, list(kept)], visible)
            [got] = FrameArrays(HeadGrid((kept,), (4,)), [given], content, scope).of([[given]])
            full = LayerAttention(0, "encoder", weights, visible)
            [whole] = FrameArrays(HeadGrid(((0, 1, 2, 3),), (4,)), [full], content, scope).of([[full]])
            there = [head for head in sorted(kept) if scope.head in (None, head)]
            columns = there if scope.head is None else [0] * len(there)
            same_places = np.array_equal(got["weights"][0, columns], whole["weights"][0, columns])
            same_numbers = np.allclose(got["statistics"][..., sorted(kept)], whole["statistics"][..., sorted(kept)])
            if not (same_places and same_numbers):
                wrong.append(kept)
        assert wrong == []
