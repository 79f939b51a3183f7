"""The stream behind the canvas: what comes, in which order, and that every number is the library's."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.policies import POLICIES
from compecon.attention.recorded import LayerAttention
from compecon.checkpoints.encode_text import Encoded
from compecon.checkpoints.load import Checkpoint
from compecon.errors import TextError, UnsupportedModelError
from compecon.stats.inequality import gini
from compecon.views.attention.attention_stream import AttentionRequest, attention_stream
from compecon.views.attention.budget_grid import Scope, budget_grid
from compecon.views.attention.frames import Message, encode
from compecon.views.attention.head_statistics import STATISTICS, TOKENS, VIEWS, head_statistics, moved_attention
from compecon.views.attention.output import read_output

TEXT = "the film was great , but the end was unwatchable ."
LONG = "the film was great and long , but the end was bad . " * 6  # more than 64 tokens: no batched pass
Load = Callable[[str], Checkpoint]


def messages(checkpoint: Checkpoint, encoded: Encoded, **request: object) -> list[Message]:
    return list(attention_stream(checkpoint, encoded, AttentionRequest(**request)))  # type: ignore[arg-type]


def frames(stream: list[Message]) -> dict[int, Message]:
    return {m.fields["k"]: m for m in stream if m.kind == "frame"}


def forward(checkpoint: Checkpoint, encoded: Encoded, k: int, policy: str) -> tuple[list[LayerAttention], object]:
    """One text at one budget, without a sweep."""
    limit = budgeted_attention(checkpoint.model, KeyBudget(keys=k), POLICIES.make(policy))
    with torch.inference_mode(), limit, recorded_attention(checkpoint.model) as layers:
        output = checkpoint.model(**encoded.batch)
    return layers, output


def test_the_full_budget_comes_first_then_the_grid_the_arms_and_the_rest(
    checkpoint: Checkpoint, encoded: Encoded
) -> None:
    stream, n = messages(checkpoint, encoded), len(encoded.tokens)
    assert [kind for kind, _ in itertools.groupby(m.kind for m in stream)] == ["open", "frame", "arm", "done"]
    assert [m.fields["k"] for m in stream if m.kind == "frame"] == list(range(n, 0, -1))
    assert stream[0].fields["grid"] == list(budget_grid(n))
    assert stream[-1].fields["ms"] > 0


def test_between_the_grids_budgets_a_short_text_gets_all_others_after_the_arms(load: Load) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode("the film was great and long , but the end was bad . " * 3)
    n, grid = len(encoded.tokens), budget_grid(len(encoded.tokens))
    assert 16 < n <= 64
    stream = messages(checkpoint, encoded)
    runs = [(kind, list(run)) for kind, run in itertools.groupby(stream, key=lambda m: m.kind)]
    assert [kind for kind, _ in runs] == ["open", "frame", "arm", "frame", "done"]
    assert [m.fields["k"] for m in runs[1][1]] == sorted(grid, reverse=True)
    assert [m.fields["k"] for m in runs[3][1]] == [k for k in range(n, 0, -1) if k not in grid]


def test_a_long_text_gets_the_grid_alone(load: Load) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode(LONG)
    assert len(encoded.tokens) > 64
    got = frames(messages(checkpoint, encoded))
    assert sorted(got) == list(budget_grid(len(encoded.tokens)))


@pytest.mark.parametrize("policy", POLICIES)
def test_every_frame_holds_what_the_library_gives_at_that_budget(
    checkpoint: Checkpoint, encoded: Encoded, policy: str
) -> None:
    got = frames(messages(checkpoint, encoded, policy=policy))
    full, full_output = forward(checkpoint, encoded, len(encoded.tokens), "top-k")
    content = ~torch.tensor(encoded.special)
    for k in (1, 2, 5, len(encoded.tokens)):
        layers, output = forward(checkpoint, encoded, k, "top-k" if k == len(encoded.tokens) else policy)
        arrays = got[k].arrays
        for i, layer in enumerate(layers):
            visible = layer.visible.expand_as(layer.weights)[0]
            expected = layer.weights[0].masked_fill(~visible, torch.nan).numpy()
            np.testing.assert_allclose(arrays["weights"][i].astype(np.float32), expected, atol=1e-3)
            np.testing.assert_allclose(
                arrays["statistics"][..., i, :], head_statistics(layer.weights[0], visible[0], content), atol=1e-4
            )
            moved = moved_attention(layer.weights[0], full[i].weights[0])
            np.testing.assert_allclose(arrays["moved"][i], moved, atol=1e-5)
        reading, full_reading = (read_output(checkpoint, encoded, o) for o in (output, full_output))
        assert got[k].fields["change"] == pytest.approx(reading.change_from(full_reading), abs=1e-4)
        assert got[k].fields["flipped"] == reading.flipped_from(full_reading)


def test_frames_of_a_long_text_hold_what_the_library_gives(load: Load) -> None:
    checkpoint = load("causal-lm")
    encoded = checkpoint.encode(LONG)
    got, k = frames(messages(checkpoint, encoded)), budget_grid(len(encoded.tokens))[5]
    layers, _ = forward(checkpoint, encoded, k, "top-k")
    for i, layer in enumerate(layers):
        visible = layer.visible.expand_as(layer.weights)[0]
        expected = layer.weights[0].masked_fill(~visible, torch.nan).numpy()
        np.testing.assert_allclose(got[k].arrays["weights"][i].astype(np.float32), expected, atol=1e-3)


def test_nothing_has_changed_at_full_budget(checkpoint: Checkpoint, encoded: Encoded) -> None:
    full = frames(messages(checkpoint, encoded))[len(encoded.tokens)]
    assert full.fields["change"] == 0.0
    assert full.fields["flipped"] is False
    assert not full.arrays["moved"].any()


def test_weights_are_nan_exactly_where_a_query_may_not_look(checkpoint: Checkpoint, encoded: Encoded) -> None:
    n = len(encoded.tokens)
    future = ~np.tril(np.ones((n, n), bool)) if checkpoint.kind == "causal-lm" else np.zeros((n, n), bool)
    for frame in frames(messages(checkpoint, encoded)).values():
        assert frame.arrays["weights"].dtype == np.float16
        assert (np.isnan(frame.arrays["weights"]) == future).all()


def test_no_query_reads_more_keys_than_the_frame_says(checkpoint: Checkpoint, encoded: Encoded) -> None:
    for k, frame in frames(messages(checkpoint, encoded)).items():
        assert int((np.nan_to_num(frame.arrays["weights"]) > 0).sum(-1).max()) <= k


@pytest.mark.parametrize("policy", POLICIES)
def test_the_control_arms_are_the_other_policies_at_the_grids_budgets(load: Load, policy: str) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode(TEXT)
    stream = messages(checkpoint, encoded, policy=policy)
    arms = {m.fields["policy"]: m for m in stream if m.kind == "arm"}
    assert list(arms) == [name for name, each in POLICIES.items() if each.is_arm and name != policy]
    full = read_output(checkpoint, encoded, forward(checkpoint, encoded, len(encoded.tokens), "top-k")[1])
    for name, arm in arms.items():
        budgets = arm.arrays["budgets"].astype(int).tolist()
        assert budgets == list(budget_grid(len(encoded.tokens)))
        outputs = [forward(checkpoint, encoded, k, name)[1] for k in budgets]
        expected = [read_output(checkpoint, encoded, output).change_from(full) for output in outputs]
        np.testing.assert_allclose(arm.arrays["changes"], expected, atol=1e-4)
        assert arm.arrays["changes"][-1] == 0.0


def test_asking_for_some_budgets_gives_the_full_one_and_those(load: Load) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode(TEXT)
    n = len(encoded.tokens)
    stream = messages(checkpoint, encoded, budgets=(3, n, n + 7))
    assert [m.kind for m in stream] == ["open", "frame", "frame", "done"]
    assert [m.fields["k"] for m in stream if m.kind == "frame"] == [n, 3]


def test_a_budget_asked_for_first_comes_right_after_the_full_one(load: Load) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode(LONG)
    order = [m.fields["k"] for m in messages(checkpoint, encoded, first=29) if m.kind == "frame"]
    assert order[:2] == [len(encoded.tokens), 29]
    assert len(order) == len(set(order))


@pytest.mark.parametrize("first", [0, 10_000])
def test_a_first_budget_that_does_not_exist_changes_nothing(load: Load, first: int) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode(TEXT)
    assert sorted(frames(messages(checkpoint, encoded, first=first))) == list(range(1, len(encoded.tokens) + 1))


@pytest.mark.parametrize("scope", [Scope(1), Scope(1, 0)])
def test_a_narrow_scope_sends_those_matrices_and_every_statistic(load: Load, scope: Scope) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode(TEXT)
    wide, narrow = (frames(messages(checkpoint, encoded, scope=s, budgets=(3,)))[3].arrays for s in (Scope(), scope))
    layers, heads = scope.extent(2, 2)
    np.testing.assert_array_equal(narrow["weights"], wide["weights"][np.ix_(layers, heads)])
    np.testing.assert_array_equal(narrow["statistics"], wide["statistics"])


@pytest.mark.parametrize("text", [TEXT, LONG])
@pytest.mark.parametrize("last", ["frame", "arm"])
def test_a_reader_that_goes_away_ends_the_stream_early(load: Load, text: str, last: str) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode(text)
    seen: list[Message] = []
    stream = attention_stream(checkpoint, encoded, wanted=lambda: last not in [m.kind for m in seen[2:]])
    for message in stream:
        seen.append(message)  # noqa: PERF402 - `wanted` looks at it between two messages
    assert seen[-1].kind == last
    assert sum(m.kind == last for m in seen[2:]) == 1


def test_the_opening_describes_the_text_and_the_model(checkpoint: Checkpoint, encoded: Encoded) -> None:
    opening, n = messages(checkpoint, encoded, budgets=(1,))[0].fields, len(encoded.tokens)
    assert opening["tokens"] == list(encoded.tokens)
    assert [len(opening[name]) for name in ("joined", "special")] == [n, n]
    assert (opening["heads"], opening["removed"]) == ([2, 2], [])
    assert opening["sent"] == {"layers": [0, 1], "heads": [0, 1]}
    assert (opening["output"], opening["digest"]) == (checkpoint.kind, checkpoint.digest)
    assert (opening["views"], opening["token_sets"], opening["statistics"]) == (VIEWS, TOKENS, STATISTICS)


def test_reading_costs_more_with_every_key_and_running_costs_the_same(load: Load) -> None:
    checkpoint = load("classification")
    macs = messages(checkpoint, checkpoint.encode(TEXT), budgets=(1,))[0].fields["macs"]
    assert macs["read"] == sorted(macs["read"])
    assert macs["read"][-1] <= macs["executed"]


def test_every_message_can_be_sent(checkpoint: Checkpoint, encoded: Encoded) -> None:
    for message in messages(checkpoint, encoded):
        assert encode(message)  # NaN in a field, or an array of another dtype, would raise


def test_one_token_has_one_budget(load: Load) -> None:
    checkpoint = load("causal-lm")
    stream = messages(checkpoint, checkpoint.encode("film"))
    assert [m.fields["k"] for m in stream if m.kind == "frame"] == [1]
    assert stream[-1].kind == "done"


def test_a_pair_is_read_as_one_text(load: Load) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode("the film was great .", "the end was bad .")
    frame = frames(messages(checkpoint, encoded, budgets=(2,)))[2]
    layers, _ = forward(checkpoint, encoded, 2, "top-k")
    expected = gini(layers[1].weights[0], layers[1].visible.expand_as(layers[1].weights)[0]).mean(-1)
    got = frame.arrays["statistics"][VIEWS.index("row"), TOKENS.index("all"), STATISTICS.index("gini"), 1]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_model_of_two_stacks_is_refused_with_a_way_out(load: Load) -> None:
    checkpoint = load("two stacks")
    with pytest.raises(UnsupportedModelError, match="recorded_attention"):
        messages(checkpoint, checkpoint.encode(TEXT))


@pytest.mark.parametrize("text", ["film", TEXT, LONG])
@pytest.mark.parametrize("first", [None, 3])
def test_every_text_gets_each_budget_and_each_control_arm_once(load: Load, text: str, first: int | None) -> None:
    checkpoint = load("classification")
    stream = messages(checkpoint, checkpoint.encode(text), first=first)
    for kind, named in (("frame", "k"), ("arm", "policy")):
        found = [m.fields[named] for m in stream if m.kind == kind]
        assert len(found) == len(set(found)) > 0


def test_unknown_tokens_are_said_and_a_text_that_is_mostly_unknown_gets_no_answer(load: Load) -> None:
    checkpoint = load("classification")
    some, most = (checkpoint.encode("the film was " + n * "\u5f71") for n in (1, 5))
    opening = messages(checkpoint, some)[0].fields
    assert opening["unknown"] == list(some.unknown)
    assert sum(opening["unknown"]) == 1
    with pytest.raises(TextError, match="5 of the text's 8"):
        messages(checkpoint, most)
