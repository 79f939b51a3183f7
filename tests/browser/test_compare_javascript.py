"""The Compare page's own arithmetic, run in Chromium: which tokens, layers and heads belong together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[Any]
Call = Callable[..., Any]

_PLAIN = """(x) => ArrayBuffer.isView(x) ? Array.from(x) : x instanceof Set ? [...x]
  : x && typeof x === 'object' && !Array.isArray(x)
    ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)]))
  : Array.isArray(x) ? x.map(plain) : x"""


@pytest.fixture(scope="module")
def call(browser: Any, server: str) -> Iterator[Call]:
    """Call a function of a module of the page: ``call("align", "onUnits", matrix, 5, groups)``."""
    page = browser.new_page()
    page.goto(f"{server}/compecon/health")

    def run(module: str, function: str, *arguments: Any) -> Any:
        packed = [{"f32": a.astype(np.float32).ravel().tolist()} if isinstance(a, np.ndarray) else a for a in arguments]
        script = f"""async ([module, name, packed]) => {{
          const plain = {_PLAIN};
          const made = await import(`/compecon/compare/${{module}}.js`);
          return plain(made[name](...packed.map((a) => (a?.f32 ? Float32Array.from(a.f32) : a))));
        }}"""
        return page.evaluate(script, [module, function, packed])

    yield run
    page.close()


def opening(tokens: list[str], spans: list[Any] | None, special: list[bool] | None = None) -> dict[str, Any]:
    return {
        "tokens": tokens, "spans": spans, "special": special or [False] * len(tokens), "joined": [False] * len(tokens)
    }  # fmt: skip


# ---- tokens


def test_the_same_tokens_go_together_one_by_one_without_spans(call: Call) -> None:
    one = opening(["[CLS]", "a", "b"], None, [True, False, False])
    got = call("align", "align", one, one, ["a b", ""])
    assert got["kind"] == "same"
    assert [(unit["a"], unit["b"]) for unit in got["units"]] == [([i], [i]) for i in range(3)]


def test_the_same_letters_with_other_roles_are_not_the_same_tokens(call: Call) -> None:
    a, b = opening(["[SEP]", "a"], [None, (0, 0, 1)], [True, False]), opening(["[SEP]", "a"], [None, (0, 0, 1)])
    assert call("align", "align", a, b, ["a", ""])["kind"] == "characters"


def test_pieces_are_the_smallest_that_both_have_boundaries_around(call: Call) -> None:
    a = opening(["[CLS]", "un", "watch", "able", "end"], [None, (0, 0, 2), (0, 2, 7), (0, 7, 11), (0, 12, 15)])
    b = opening(["unw", "atch", "able", "e", "nd"], [(0, 0, 3), (0, 3, 7), (0, 7, 11), (0, 12, 13), (0, 13, 15)])
    got = call("align", "align", a, b, ["unwatchable end", ""])
    assert [(unit["label"], unit["a"], unit["b"]) for unit in got["units"]] == [
        ("unwatch", [1, 2], [0, 1]), ("able", [3], [2]), ("end", [4], [3, 4]),
    ]  # fmt: skip
    assert [unit["joined"] for unit in got["units"]] == [False, True, False]
    assert got["unitOf"] == {"a": [-1, 0, 0, 1, 2], "b": [0, 0, 1, 2, 2]}


def test_the_texts_of_a_pair_are_kept_apart_and_letters_beyond_the_first_plane_count_once(call: Call) -> None:
    a = opening(["😀", "x", "y"], [(0, 0, 1), (0, 1, 2), (1, 0, 1)])
    b = opening(["😀x", "y"], [(0, 0, 2), (1, 0, 1)])
    got = call("align", "align", a, b, ["😀x", "y"])
    assert [unit["label"] for unit in got["units"]] == ["😀x", "y"]


def test_what_one_side_alone_has_is_left_out(call: Call) -> None:
    a, b = opening(["a", "b"], [(0, 0, 1), (0, 2, 3)]), opening(["a", "⏎"], [(0, 0, 1), None])
    got = call("align", "align", a, b, ["a b", ""])
    assert len(got["units"]) == 1
    assert got["unitOf"] == {"a": [0, -1], "b": [0, -1]}


@pytest.mark.parametrize(("spans", "needs"), [(None, ["b"]), ([None, None], [])])
def test_without_a_place_in_the_text_tokens_are_refused_in_words(
    call: Call, spans: list[None] | None, needs: list[str]
) -> None:
    got = call("align", "align", opening(["a"], [(0, 0, 1)]), opening(["x", "y"], spans), ["a", ""])
    assert (got["kind"], got["needs"], got["units"]) == ("none", needs, [])
    assert "no difference can be drawn" in got["why"]


def random_attention(n: int, seed: int, *, causal: bool) -> Array:
    weights = np.random.default_rng(seed).dirichlet(np.full(n, 0.4), n)
    seen = np.tril(np.ones((n, n), bool)) if causal else np.ones((n, n), bool)
    weights = np.where(seen, weights, 0)
    return np.where(seen, weights / weights.sum(1, keepdims=True), np.nan)


@pytest.mark.parametrize("causal", [False, True])
def test_keys_of_a_piece_are_summed_and_its_queries_averaged(call: Call, causal: bool) -> None:
    n, groups = 7, [[1, 2], [3], [4, 5, 6]]
    weights = random_attention(n, 3, causal=causal)
    expected = np.full((3, 3), np.nan)
    for u, v in itertools.product(range(3), repeat=2):
        sums = [np.nansum(weights[q, groups[v]]) for q in groups[u] if not np.isnan(weights[q, groups[v]]).all()]
        if sums:
            expected[u, v] = np.mean(sums)
    got = np.array(call("align", "onUnits", weights, n, groups), dtype=float).reshape(3, 3)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_shares_of_a_piece_are_summed(call: Call) -> None:
    shares = np.array([0.1, 0.2, np.nan, 0.3, np.nan])
    got = np.array(call("align", "sharesOnUnits", shares, [[0, 1], [2, 3], [4]]), dtype=float)
    np.testing.assert_allclose(got, [0.3, 0.3, np.nan], atol=1e-6)


# ---- layers and heads


@pytest.mark.parametrize(("rows", "layers"), [(3, 3), (6, 3), (4, 3), (12, 5), (7, 1)])
def test_layers_are_paired_by_depth_and_every_layer_has_a_row(call: Call, rows: int, layers: int) -> None:
    of_row = [call("align", "layerAt", row, rows, layers) for row in range(rows)]
    assert of_row == sorted(of_row)
    assert set(of_row) == set(range(layers))
    assert all(abs((row + 0.5) / rows - (layer + 0.5) / layers) <= 0.5 / layers for row, layer in enumerate(of_row))
    for layer in range(layers):
        assert of_row[call("align", "rowOf", layer, rows, layers)] == layer


def control(
    browser: Any, server: str, removed: list[list[list[int]]], values: list[Array], heads: list[list[int]]
) -> Any:
    page = browser.new_page()
    page.goto(f"{server}/compecon/health")
    openings = [
        {"tokens": ["a"], "special": [False], "grid": [1], "heads": one, "policy": "top-k", "removed": gone,
         "sent": {"layers": [0], "heads": [0]}}
        for one, gone in zip(heads, removed, strict=True)
    ]  # fmt: skip
    got = page.evaluate(
        """async ([openings, values]) => {
          const { Store } = await import('/compecon/shared/store.js');
          const { headGrid, headMean, selectionControl } = await import('/compecon/compare/heads.js');
          const { selectionSentence } = await import('/compecon/compare/words.js');
          const [a, b] = openings.map((one) => new Store(one, 'exact'));
          const [x, y] = values.map((one) => Float32Array.from(one));
          const made = selectionControl(a, b, x, y), grid = headGrid(a, b, x, y);
          return { ...made, said: selectionSentence('gini', made, 'nats'), means: [headMean(x, a), headMean(y, b)],
            grid: Array.from(grid.values, (v) => (v === v ? v : null)), names: grid.names, gone: [...grid.gone] };
        }""",
        [openings, [value.ravel().tolist() for value in values]],
    )
    page.close()
    return got


DENSE = np.array([[0.2, 0.4], [0.6, 0.8]])


@pytest.mark.parametrize(
    ("smaller", "says"),
    [
        (np.array([[0.5, 9], [9, 0.9]]), " 25% of it"),
        (np.array([[0.4, 9], [9, 0.66]]), "offset the excess"),
        (np.array([[0.3, 9], [9, 0.5]]), "opposite direction"),
        (np.array([[0.4, 9], [9, 0.6]]), "did not shift"),
    ],
)
def test_the_part_of_a_shift_that_is_selection_is_told_in_plain_words(
    browser: Any, server: str, smaller: Array, says: str
) -> None:
    dense = np.array([[0.25, 0.4], [0.5, 0.85]]) if "did not" not in says else DENSE
    kept_dense, kept_small = dense[[0, 1], [0, 1]].mean(), smaller[[0, 1], [0, 1]].mean()
    got = control(browser, server, [[], [[0, 1], [1, 0]]], [dense, smaller], [[2, 2], [2, 2]])
    assert (got["all"], got["survivors"], got["smaller"]) == pytest.approx((dense.mean(), kept_dense, kept_small))
    shift = kept_small - dense.mean()
    if abs(shift) > 1e-6:
        assert got["selected"] == pytest.approx((kept_dense - dense.mean()) / shift, rel=1e-4)
    else:
        assert got["selected"] is None
    assert says in got["said"]
    assert got["means"] == pytest.approx([dense.mean(), kept_small])


def test_selection_is_told_from_the_larger_model_on_either_side(browser: Any, server: str) -> None:
    got = control(browser, server, [[[0, 1]], []], [DENSE, DENSE + 0.1], [[2, 2], [2, 2]])
    assert got["from"] == "b"
    assert got["survivors"] == pytest.approx((0.2 + 0.6 + 0.8) / 3 + 0.1)


@pytest.mark.parametrize(
    ("removed", "heads", "says"),
    [
        ([[], []], [[2, 2], [2, 2]], "same heads"),
        ([[[0, 0]], [[0, 1]]], [[2, 2], [2, 2]], "Neither has all"),
        ([[], []], [[2, 2], [1, 1, 1, 1]], "different grids"),
    ],
)
def test_where_there_is_no_control_a_sentence_says_why(
    browser: Any, server: str, removed: list[list[list[int]]], heads: list[list[int]], says: str
) -> None:
    assert says in control(browser, server, removed, [DENSE, DENSE], heads)["said"]


def test_differences_of_heads_stand_at_their_depth_and_what_one_lacks_is_hatched(browser: Any, server: str) -> None:
    b = np.array([[0.1, 0.1, 0.1]])
    got = control(browser, server, [[[1, 0]], []], [DENSE, b], [[2, 2], [3]])
    assert got["names"] == ["L0", "1|0"]
    assert got["gone"] == [2, 3, 5]
    assert [value for value in got["grid"] if value is not None] == pytest.approx([0.1, 0.3, 0.7])


@pytest.mark.parametrize(
    ("value", "digits", "said"), [(0.1234, 3, "+0.123"), (-2, 1, "−2.0"), (0, 2, "±0.00"), (None, 2, "—")]
)
def test_differences_carry_their_sign(call: Call, value: float | None, digits: int, said: str) -> None:
    assert call("words", "signed", value, digits) == said
