"""The page's own arithmetic, run in Chromium, against the library's: random matrices, ties, masks, odd sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from compecon.stats import inequality as metrics
from compecon.stats.lorenz import lorenz_curve
from compecon.stats.received_attention import received
from compecon.views.attention.budget_grid import budget_grid
from compecon.views.attention.frames import Message, encode
from compecon.views.attention.head_statistics import STATISTICS, TOKENS, VIEWS, head_statistics

Array = NDArray[Any]
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def call(browser: Any, server: str) -> Iterator[Call]:
    """Call a function of a module: ``call("economy", "received", matrix, 5)``; arrays go as Float32Array."""
    page = browser.new_page()
    page.goto(f"{server}/compecon/health")

    def run(module: str, function: str, *arguments: Any) -> Any:
        packed = [
            {"f32": a.astype(np.float32).ravel().tolist()} if isinstance(a, np.ndarray) else {"v": a} for a in arguments
        ]
        script = """async ([module, name, packed]) => {
          const made = await import(`/compecon/shared/${module}.js`);
          const plain = (x) => ArrayBuffer.isView(x) ? Array.from(x) : x && typeof x === 'object' && !Array.isArray(x)
            ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)])) : x;
          return plain(made[name](...packed.map((a) => (a.f32 ? Float32Array.from(a.f32) : a.v))));
        }"""
        return page.evaluate(script, [module, function, packed])

    yield run
    page.close()


def attention(n: int, seed: int, *, causal: bool = False, ties: bool = False, keys: int | None = None) -> Array:
    """Rows that sum to 1 over what may be seen, float32; NaN where it may not."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, n)) * 2
    if ties:
        logits = np.round(logits)
    seen = np.tril(np.ones((n, n), bool)) if causal else np.ones((n, n), bool)
    weights = np.where(seen, np.exp(logits), 0.0)
    if keys is not None:
        kept = np.argsort(-weights, axis=1, kind="stable")[:, :keys]
        weights *= _mask(kept, n)
    weights = weights / weights.sum(1, keepdims=True)
    return np.where(seen, weights, np.nan).astype(np.float32)


def _mask(kept: Array, n: int) -> Array:
    out = np.zeros((len(kept), n), bool)
    np.put_along_axis(out, kept, True, axis=1)
    return out


MATRICES = [
    pytest.param(attention(n, seed, causal=causal, ties=ties, keys=keys), id=f"{n}-{causal=}-{ties=}-{keys=}")
    for seed, (n, causal, ties, keys) in enumerate(
        [(1, False, False, None), (2, True, False, None), (7, False, False, None), (16, True, True, None),
         (33, False, True, 5), (33, True, False, 4), (64, False, False, 1), (92, False, True, None)]
    )
]  # fmt: skip


def content_of(n: int) -> list[bool]:
    """Special tokens first and last, as in BERT."""
    return [0 < i < n - 1 for i in range(n)]


def top_k_by_hand(full: Array, k: int) -> Array:
    out = np.full_like(full, np.nan, dtype=np.float64)
    for q, row in enumerate(full):
        seen = [j for j in range(len(row)) if not math.isnan(row[j])]
        best = sorted(seen, key=lambda j: (-row[j], j))[:k]
        total = sum(float(row[j]) for j in best)
        for j in seen:
            out[q, j] = float(row[j]) / total if j in best and total else 0.0
    return out


@pytest.mark.parametrize("full", MATRICES)
def test_the_preview_keeps_the_strongest_keys_and_ties_go_to_the_earlier(call: Call, full: Array) -> None:
    n = len(full)
    for k in sorted({1, 2, max(1, n // 3), n}):
        got = np.array(call("economy", "maskTopK", full, n, k)).reshape(n, n)
        np.testing.assert_allclose(got, top_k_by_hand(full, k), atol=1e-6)


def split(weights: Array) -> tuple[torch.Tensor, torch.Tensor]:
    tensor = torch.from_numpy(weights).double()
    return tensor.nan_to_num(0.0), ~tensor.isnan()


@pytest.mark.parametrize("weights", MATRICES)
def test_received_attention_is_the_librarys(call: Call, weights: Array) -> None:
    amounts, visible = split(weights)
    got = np.array(call("economy", "received", weights, len(weights)))
    np.testing.assert_allclose(got, received(amounts, visible), atol=1e-6)


def test_a_key_that_nobody_may_read_receives_nan_and_is_no_unit(call: Call) -> None:
    weights = attention(5, 3)
    weights[:, 2] = np.nan
    weights /= np.nansum(weights, 1, keepdims=True)
    got = np.array(call("economy", "received", weights, 5))
    assert np.isnan(got).tolist() == [False, False, True, False, False]
    assert len(call("economy", "units", got)) == 4


SHARES = [[1.0], [0.5, 0.5], [0.0, 1.0], [0.1, 0.2, 0.3, 0.4], [0.25] * 4, [0.0, 0.0, 0.0, 1.0], *(
    np.sort(np.random.default_rng(n).dirichlet(np.full(n, 0.3))).tolist() for n in (3, 10, 11, 40, 101)
)]  # fmt: skip


@pytest.mark.parametrize("shares", SHARES, ids=len)
def test_the_lorenz_curve_is_the_librarys_read_at_every_percent(call: Call, shares: Sequence[float]) -> None:
    curve = lorenz_curve(torch.tensor(shares, dtype=torch.float64)).numpy()
    expected = np.interp(np.linspace(0, 1, 101), np.linspace(0, 1, len(curve)), curve)
    np.testing.assert_allclose(call("economy", "lorenz", np.array(shares)), expected, atol=1e-6)


@pytest.mark.parametrize("shares", SHARES, ids=len)
def test_the_summary_is_the_librarys(call: Call, shares: Sequence[float]) -> None:
    tensor = torch.tensor(shares, dtype=torch.float32).double()
    whole, inside = metrics.summary(tensor), metrics.gini(tensor, tensor > 0)
    expected = {name: getattr(whole, name, inside).item() for name in STATISTICS}
    assert call("economy", "summary", np.array(shares)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("weights", MATRICES)
def test_a_heads_economy_is_what_the_server_sends(call: Call, weights: Array, view: str, tokens: str) -> None:
    n, (amounts, visible) = len(weights), split(weights)
    content = content_of(n)
    got = call("economy", "headEconomy", weights, n, view, content if tokens == "content" else None)
    sent = head_statistics(amounts[None], visible, torch.tensor(content))
    expected = sent[VIEWS.index(view), TOKENS.index(tokens), :, 0]
    if expected.isnan().all():
        assert got is None
        return
    assert got["stats"] == pytest.approx(dict(zip(STATISTICS, expected.tolist(), strict=True)), abs=1e-5)
    assert (got["curve"][0], got["curve"][-1]) == (0.0, pytest.approx(1.0))


def test_the_decoder_knows_every_half_precision_number(call: Call) -> None:
    bits = np.arange(65536, dtype=np.uint16)
    got = np.array(call("wire", "halves", bits.tolist()), dtype=np.float32)
    np.testing.assert_array_equal(got, bits.view(np.float16).astype(np.float32))


@pytest.mark.parametrize("chunk", [1, 3, 7, 64, 100_000])
def test_a_stream_cut_anywhere_is_put_together_again(browser: Any, server: str, call: Call, chunk: int) -> None:
    del call  # its page shows that modules load; this test needs a class, so a page of its own
    sent = [
        Message("open", {"tokens": ["a", "é", "😀"], "n": 3}),
        Message(
            "frame", {"k": 1}, {"u": np.arange(3, dtype=np.uint8), "h": np.array([[1, np.nan], [0.5, -2]], np.float16)}
        ),
        Message("frame", {"k": 2}, {"f": np.array([1.5, np.nan], np.float32), "empty": np.zeros((2, 0), np.float32)}),
        Message("done"),
    ]
    page = browser.new_page()
    page.goto(f"{server}/compecon/health")
    got = page.evaluate(
        """async ([bytes, chunk]) => {
          const { Splitter, halves } = await import('/compecon/shared/wire.js');
          const splitter = new Splitter(), out = [];
          for (let at = 0; at < bytes.length; at += chunk) {
            out.push(...splitter.push(Uint8Array.from(bytes.slice(at, at + chunk))));
          }
          const plain = (a) => ({ shape: a.shape, values: Array.from(a instanceof Uint16Array ? halves(a) : a) });
          return out.map(({ arrays, ...rest }) => (
            { ...rest, arrays: Object.fromEntries(Object.entries(arrays).map(([name, a]) => [name, plain(a)])) }));
        }""",
        [list(b"".join(map(encode, sent))), chunk],
    )
    page.close()
    assert [m["kind"] for m in got] == [m.kind for m in sent]
    for message, one in zip(sent, got, strict=True):
        assert {name: one[name] for name in message.fields} == message.fields
        for name, array in message.arrays.items():
            assert one["arrays"][name]["shape"] == list(array.shape)
            np.testing.assert_array_equal(one["arrays"][name]["values"], array.astype(np.float32).ravel())


@pytest.mark.parametrize("n", [1, 2, 64, 65, 92, 300, 512])
def test_the_bar_stops_at_every_budget_that_is_computed(call: Call, n: int) -> None:
    stops = call("budget", "stops", n, list(budget_grid(n)))
    assert stops == sorted(set(stops))
    assert set(budget_grid(n)) <= set(stops) <= set(range(1, n + 1))
    assert n > 64 or stops == list(range(1, n + 1))


def test_a_csv_quotes_what_would_break_it(call: Call) -> None:
    csv = call("csv", "toCsv", [{"token": '"a",\n', "w": None}, {"token": "b", "w": 0.5}], {"checkpoint": "x\ny: z"})
    assert csv == '# checkpoint: x y: z\ntoken,w\n"""a"",\n",\nb,0.5\n'


def test_the_store_knows_removed_heads_and_waits_for_none_of_them(browser: Any, server: str) -> None:
    opening = {"tokens": ["a", "b"], "special": [False, False], "grid": [1, 2], "heads": [2, 2], "policy": "top-k"}
    sent = {"layers": [0], "heads": [0, 1]}  # of a long text: one layer's matrices
    page = browser.new_page()
    page.goto(f"{server}/compecon/health")
    got = page.evaluate(
        """async (openings) => {
          const { Store } = await import('/compecon/shared/store.js');
          const { removedNote, removedSentence } = await import('/compecon/shared/words.js');
          return openings.map((opening) => {
            const store = new Store(opening, 'exact'), heads = [[0, 0], [0, 1], [1, 0], [1, 1]];
            return {
              has: heads.map(([l, h]) => store.has(l, h)), first: store.firstHead({ layer: 0, head: 0 }),
              asked: store.firstHead({ layer: 1, head: 0 }), note: removedNote(store),
              nothing: store.isRemoved(0, 0) && Array.from(store.matrix(1, 0, 0)).every((w) => w !== w),
              statistics: store.isRemoved(0, 0) && store.statistics(1, 0, 0, 'row', 'all'),
              said: heads.map(([l, h]) => removedSentence(store, l, h)),
            };
          });
        }""",
        [{**opening, "sent": sent, "removed": [[0, 0], [1, 0], [1, 1]]}, {**opening, "sent": sent}],
    )
    page.close()
    some, none = got
    assert some["has"] == [True, True, True, True]
    assert (some["first"], some["asked"]) == ({"layer": 0, "head": 1}, {"layer": 1, "head": 0})
    assert (some["nothing"], some["statistics"]) == (True, None)
    assert some["note"].startswith("Hatched: 3 of 4 heads")
    of_layer_1 = "All heads of layer 1 were removed from this model."
    assert some["said"] == ["Layer 0, head 0 was removed from this model.", "", of_layer_1, of_layer_1]
    assert none["has"] == [True, True, False, False]  # a recording from before there were removed heads
    assert (none["first"], none["note"], none["said"]) == ({"layer": 0, "head": 0}, "", [""] * 4)


@pytest.mark.parametrize("changes", [[], [0.0, 1e-4], [3e-3, 9.9e-3], [0.2, 0.011], [7.5]])
def test_the_axis_of_changes_magnifies_no_noise(call: Call, changes: list[float]) -> None:
    lines = [{"points": [[k, change]]} for k, change in enumerate(changes, 1)]
    assert call("budget_axis", "topOfChanges", lines) == max([0.01, *changes])


@pytest.mark.parametrize("asked", [{"k": 0, "layer": None, "head": None}, {"k": 7, "layer": 3, "head": 11}])
def test_what_is_there_is_not_beyond(call: Call, asked: dict[str, Any]) -> None:
    assert call("beyond", "within", asked, {"k": 7, "layer": 3, "head": 11}) == {"sentence": "", "place": asked}


def test_arms_that_were_not_computed_are_not_explained(call: Call) -> None:
    notes = [call("words", "armsNote", {"arms": arms, "progress": {"isDone": done}}) for arms, done in (
        ([{}], True), ([{}], False), ([], True), ([], False)
    )]  # fmt: skip
    assert notes[0] == notes[1]
    assert len(set(notes)) == 3
    assert all("not computed" in note for note in notes[2:])
