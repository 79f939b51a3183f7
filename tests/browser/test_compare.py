"""The Compare page in a browser: two checkpoints on one bar, and differences that are the library's."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from torch import Tensor

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.compression.compact_model import kept_heads
from compecon.stats import inequality as metrics
from compecon.studies.survivors import survivor_control
from compecon.tasks.encode_rows import Features
from compecon.views.attention.example_texts import FIRST_PAIR, examples_for
from tests.browser.conftest import Dashboard, sync_api

expect = sync_api.expect
FIRST = examples_for("sentiment")[0].text
A, B = "sentiment", "sentiment-45-taylor"
PLACE = (1, 4)  # a layer and head that both have


class Compare:
    """The page as a person uses it."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard, self.page = dashboard, dashboard.page

    def open(self, **params: str) -> Compare:
        return self._visit(".cc[data-both=true]", params)

    def open_half(self, **params: str) -> Compare:
        """Open a pair of which one side will not come."""
        return self._visit(".cc[data-k]", params)

    def _visit(self, ready: str, params: Mapping[str, str]) -> Compare:
        self.page.goto(f"{self.dashboard.server}/compare?{urlencode({'a': A, 'b': B, **params})}")
        self.page.get_by_label("Text", exact=True).wait_for()  # the widgets have come
        self.page.locator("#compecon-first-picture").wait_for(state="detached")
        self.page.locator(ready).wait_for()
        return self

    def find(self, selector: str) -> Any:
        return self.page.locator(f".cc {selector}")

    def side(self, name: str, part: str) -> Any:
        return self.find(f".side[data-side={name}] .{part}")

    def heading(self, name: str) -> Any:
        return self.find(f".map[data-side={name}] h3")

    def row(self, statistic: str) -> list[float]:
        """A, B and A − B of this head, then of all heads' mean: shares as parts of 1."""
        return [number(text) for text in self.find(f"tr[data-statistic={statistic}] td").all_inner_texts()]

    def pictures(self) -> dict[str, int]:
        return {name: self.dashboard.picture(f"heatmap.{name}") for name in "abd"}

    def cell(self, name: str, query: int, key: int, n: int) -> dict[str, float]:
        """The middle of a cell of a matrix, where the drawing code says it is."""
        x, y = self.find(f"canvas.heatmap.{name}").evaluate(
            """async (c, [query, key, n]) => {
              const { heatmapBox } = await import(new URL('/compecon/shared/heatmap.js', location.origin).href);
              const { x, y, cell } = heatmapBox(c.clientWidth, c.clientHeight, n);
              return [x + (key + 0.5) * cell, y + (query + 0.5) * cell];
            }""",
            [query, key, n],
        )
        return {"x": x, "y": y}

    def export(self, figure: str) -> list[dict[str, Any]]:
        with self.page.expect_download() as download:
            self.find(f".tools[data-figure={figure}] select").select_option("json")
        rows: list[dict[str, Any]] = json.loads(Path(download.value.path()).read_text())["rows"]
        return rows

    def troubles(self) -> list[str]:
        """Errors of the page; Streamlit's own first guess of its address is none."""
        return [error for error in self.dashboard.errors if "404" not in error]


def number(shown: str) -> float:
    found = re.match(r"([+−±]?)([\d.]+)", shown)
    if found is None:
        return float("nan")
    value = float(found[2]) * (-1 if found[1] == "−" else 1)
    return value / 100 if "%" in shown or "pts" in shown else value


@pytest.fixture
def compare(dashboard: Dashboard) -> Compare:
    return Compare(dashboard)


# ---- the library


@functools.cache
def checkpoint(name: str) -> Checkpoint:
    return load_checkpoint(name, "cpu")


@functools.cache
def forward(name: str, text: str, k: int) -> tuple[Mapping[tuple[int, int], Tensor], Tensor]:
    """Attention of every head there is, by its place in the dense model, and the logits."""
    one = checkpoint(name)
    with (
        torch.inference_mode(),
        budgeted_attention(one.model, KeyBudget(keys=k)),
        recorded_attention(one.model) as seen,
    ):
        logits = one.model(**one.encode(text).batch).logits[0]
    dense = [tuple(range(one.preflight.heads))] * one.preflight.layers
    kept = dense if one.preflight.heads_kept is None else kept_heads(one.model)
    heads = {(each.layer, head): w for each in seen for head, w in zip(kept[each.layer], each.weights[0], strict=True)}
    return heads, logits


def gini(weights: Tensor) -> float:
    return float(metrics.gini(weights).mean())


def entropy(weights: Tensor) -> float:
    return float(metrics.entropy(weights).mean())


MEASURES: Mapping[str, Callable[[Tensor], float]] = {"gini": gini, "entropy": entropy}

# ---- the first picture, and the numbers in it


def test_the_head_it_opens_with_is_that_of_full_budget_at_every_budget(compare: Compare) -> None:
    chosen = {compare.open(k=k).heading("a").inner_text() for k in ("1", "4", "16")}
    assert len(chosen) == 1, "which head is shown must not depend on which budgets have come"


def test_the_page_opens_on_two_finished_pictures_without_a_model(compare: Compare) -> None:
    compare.open(a=FIRST_PAIR[0], b=FIRST_PAIR[1])
    for side in "ab":
        expect(compare.side(side, "badge")).to_have_attribute("data-kind", "recorded")
    for name in ("heatmap.a", "heatmap.b", "heatmap.d", "atlas.a", "atlas.b", "atlas.d", "lorenz", "scarcity"):
        assert compare.dashboard.colours(name) > 8, name
    expect(compare.find(".agreement")).to_contain_text("negative")
    assert compare.dashboard.hosts == {compare.dashboard.server.removeprefix("http://")}
    assert compare.troubles() == []


@pytest.mark.parametrize("k", [2, 5, 16])
def test_statistics_and_their_differences_are_the_librarys(compare: Compare, k: int) -> None:
    compare.open(k=str(k), layer=str(PLACE[0]), head=str(PLACE[1]))
    heads = [forward(name, FIRST, k)[0] for name in (A, B)]
    for name, measure in MEASURES.items():
        one, other = (measure(of[PLACE]) for of in heads)
        means = [float(np.mean([measure(w) for w in of.values()])) for of in heads]
        expected = [one, other, one - other, *means, means[0] - means[1]]
        assert compare.row(name) == pytest.approx(expected, abs=1.1e-3), name
    p = [forward(name, FIRST, k)[1].softmax(-1)[0].item() for name in (A, B)]
    for side, value in zip("ab", p, strict=True):
        assert number(compare.side(side, "answer .name span:nth-child(2)").first.inner_text()) == pytest.approx(
            value, abs=1e-3
        )


def test_the_control_for_selection_is_the_recipes(compare: Compare) -> None:
    compare.open(k="16")
    dense, smaller = checkpoint(A), checkpoint(B)
    row = {name: values[0].tolist() for name, values in dense.encode(FIRST).batch.items()}
    features: Features = {**row, "labels": 0}
    expected = survivor_control(dense.model, smaller.model, dense.tokenizer, [features])
    said = compare.find(".selection[data-of=gini]").inner_text()
    numbers = [float(found) for found in re.findall(r"\d\.\d{3}", said)[:3]]
    assert numbers == pytest.approx(
        [expected.dense.gini, expected.dense_survivors.gini, expected.smaller.gini], abs=1.1e-3
    )
    assert expected.selected is not None
    assert f"{abs(round(100 * expected.selected))}%" in said


def test_the_matrix_of_differences_is_a_minus_b(compare: Compare) -> None:
    compare.open(k="4", layer=str(PLACE[0]), head=str(PLACE[1]))
    one, other = (forward(name, FIRST, 4)[0][PLACE] for name in (A, B))
    shown = [row["a_minus_b"] for row in compare.export("heatmap-d")]
    np.testing.assert_allclose(np.reshape(shown, one.shape), (one - other).numpy(), atol=2e-3)


# ---- one bar, one pointer


def test_a_drag_moves_both_and_their_difference_and_tells_the_server_nothing(compare: Compare) -> None:
    compare.open(k="2", layer="1", head="4")
    bar, mouse = compare.find("input[type=range]"), compare.page.mouse
    bar.focus()
    bar.press("ArrowRight")
    compare.dashboard.await_address(k="3")
    box = bar.bounding_box()
    x, y = box["x"] + box["width"] * 2.5 / 15, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    sent, asked = compare.dashboard.frames_sent, len(compare.dashboard.paths)
    seen = []
    for _ in range(6):
        x += box["width"] / 16
        mouse.move(x, y)
        seen.append((compare.dashboard.k, tuple(compare.pictures().values()), tuple(compare.row("entropy")[:2])))
    assert (compare.dashboard.frames_sent, len(compare.dashboard.paths)) == (sent, asked)
    mouse.up()
    ks, pictures, statistics = zip(*seen, strict=True)
    assert list(ks) == sorted(set(ks))
    for name in range(3):
        assert len({each[name] for each in pictures}) == len(seen)
    assert len(set(statistics)) == len(seen)
    compare.dashboard.await_address(k=str(ks[-1]))


@pytest.mark.parametrize("over", ["a", "b", "d"])
def test_a_cell_under_the_pointer_is_outlined_in_all_three_and_one_tip_tells_all(compare: Compare, over: str) -> None:
    compare.open(k="16", layer=str(PLACE[0]), head=str(PLACE[1]))
    before = compare.pictures()
    compare.find(f"canvas.heatmap.{over}").hover(position=compare.cell(over, 5, 3, 16))
    expect(compare.find(".tip")).to_be_visible()
    after = compare.pictures()
    assert all(before[name] != after[name] for name in "abd")
    one, other = (forward(name, FIRST, 16)[0][PLACE][5, 3].item() for name in (A, B))
    lines = compare.find(".tip").inner_text().split("\n")
    tokens = checkpoint(A).encode(FIRST).tokens
    assert lines[0] == f"“{tokens[5]}” reads “{tokens[3]}”"
    assert [number(line.split(": ")[1]) for line in lines[1:]] == pytest.approx([one, other, one - other], abs=1.1e-3)
    compare.find(".k").hover()
    expect(compare.find(".tip")).to_be_hidden()
    assert compare.pictures() == before


def test_a_pinned_row_is_pinned_in_all_and_arrow_keys_move_it(compare: Compare) -> None:
    compare.open(k="6")
    tokens = checkpoint(A).encode(FIRST).tokens
    before = compare.pictures()
    compare.find("canvas.heatmap.b").click(position=compare.cell("b", 4, 2, 16))
    for side in "abd":
        expect(compare.find(f".chips[data-side={side}] h3")).to_contain_text(f"what “{tokens[4]}” reads")
        expect(compare.find(f".chips[data-side={side}] .chip.pinned")).to_have_text(tokens[4])
    compare.find(".k").hover()
    assert all(before[name] != picture for name, picture in compare.pictures().items())
    compare.find("canvas.heatmap.d").press("ArrowDown")
    expect(compare.find(".chips[data-side=a] h3")).to_contain_text(f"“{tokens[5]}”")
    compare.find("canvas.heatmap.d").press("Escape")
    expect(compare.find(".chip.pinned")).to_have_count(0)


def test_a_head_is_chosen_in_both(compare: Compare) -> None:
    compare.open(k="4", layer="0", head="0")
    compare.find("canvas.atlas.b").press("ArrowRight")
    for side in "abd":
        expect(compare.heading(side)).to_contain_text("Layer 0 · head 1")
    compare.dashboard.await_address(layer="0", head="1")


# ---- swap and blink


def test_swapping_turns_every_difference_around_and_is_kept_in_the_address(compare: Compare) -> None:
    compare.open(k="3", layer=str(PLACE[0]), head=str(PLACE[1]))
    names, gini_row = [compare.side(side, "name").first.inner_text() for side in "ab"], compare.row("entropy")
    asked = len([path for path in compare.dashboard.paths if "/compecon/" in path])
    compare.find(".swap").click()
    assert [compare.side(side, "name").first.inner_text() for side in "ab"] == names[::-1]
    a, b, difference = compare.row("entropy")[:3]
    assert [b, a, -difference] == gini_row[:3]
    compare.dashboard.await_address(a=B, b=A)
    expect(compare.side("a", "sidehead .name")).to_have_text(names[1])
    assert len([path for path in compare.dashboard.paths if "/compecon/" in path]) == asked  # nothing is fetched again


def test_blinking_shows_both_in_one_place_until_it_is_stopped(compare: Compare) -> None:
    compare.open(k="3")
    button, heading = compare.find(".blink"), compare.heading("a")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(heading).to_contain_text("now B")
    expect(heading).to_contain_text("now A")
    expect(heading).to_contain_text("now B")
    compare.page.keyboard.press("b")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(heading).to_have_text(re.compile("^A ·"))


def test_blinking_changes_at_most_twice_a_second(compare: Compare) -> None:
    compare.open(k="3")
    gaps = compare.heading("a").evaluate(
        """heading => new Promise((done) => {
          const at = [];
          const seen = () => {
            at.push(performance.now());
            if (at.length > 4) done(at.slice(1).map((t, i) => t - at[i]));
          };
          new MutationObserver(seen).observe(heading, { childList: true, characterData: true, subtree: true });
          heading.getRootNode().querySelector('.blink').click();
        })"""
    )
    assert np.mean(gaps) > 450  # a late frame may shorten one gap


def test_with_less_motion_nothing_blinks_by_itself(new_dashboard: Callable[..., Dashboard]) -> None:
    compare = Compare(new_dashboard(reduced_motion="reduce")).open(k="3")
    heading = compare.heading("a")
    compare.find(".blink").press("b")
    expect(heading).to_contain_text("now B")
    moved = heading.evaluate(
        """heading => new Promise((done) => {
          const watch = new MutationObserver(() => done(true));
          watch.observe(heading, { childList: true, characterData: true, subtree: true });
          setTimeout(() => done(false), 1500);
        })"""
    )
    assert not moved
    compare.find(".blink").press("b")
    expect(heading).to_have_text(re.compile("^A ·"))


# ---- models that differ in shape


def test_removed_heads_are_hatched_where_they_were_and_in_the_difference(compare: Compare) -> None:
    compare.open(k="4")
    kept = kept_heads(checkpoint(B).model)
    for name in ("atlas-b", "atlas-d"):
        rows = compare.export(name)
        assert [row["hatched"] for row in rows] == [head not in kept[layer] for layer in range(3) for head in range(12)]
        assert all((row["value"] is None) == row["hatched"] for row in rows)
    assert not any(row["hatched"] for row in compare.export("atlas-a"))
    layer, head = next((layer, head) for layer in range(3) for head in range(12) if head not in kept[layer])
    compare.open(k="4", layer=str(layer), head=str(head))
    expect(compare.heading("b")).to_contain_text("removed")
    expect(compare.find("canvas.heatmap.d")).to_have_attribute("aria-label", re.compile("removed from this model"))
    assert compare.find("tr[data-statistic=gini] td").all_inner_texts()[1:3] == ["—", "—"]


def test_different_tokenizers_are_compared_on_the_pieces_that_both_have(compare: Compare) -> None:
    compare.open(b="causal", layer="0", head="1", k="20")
    expect(compare.find(".notes")).to_contain_text("The tokenizers differ (A 16 tokens")
    expect(compare.find(".notes")).to_contain_text("relative depth")
    encoded = [checkpoint(name).encode(FIRST) for name in (A, "causal")]
    shown = compare.export("heatmap-d")
    units = [row["key_token"] for row in shown if row["query"] == 0]
    assert "".join(units) == FIRST.replace(" ", "")
    pieces = pieces_of(FIRST, [one.spans for one in encoded])
    assert [FIRST[start:end] for start, end in pieces] == units
    one, other = (
        on_pieces(forward(name, FIRST, len(e.tokens))[0][0, 1], e.spans, pieces, causal=name == "causal")
        for name, e in zip((A, "causal"), encoded, strict=True)
    )
    got = np.array([[row["a_minus_b"] for row in shown]], float).reshape(len(units), len(units))
    np.testing.assert_allclose(got, one - other, atol=2e-3)
    assert compare.troubles() == []


def pieces_of(text: str, spans: list[Any]) -> list[tuple[int, int]]:
    """Pieces of a text between boundaries that both tokenizers have, letter by letter."""

    def word_of(letter: int, side: int) -> set[int]:
        return {i for i, span in enumerate(spans[side]) if span and span[1] <= letter < span[2]}

    pieces: list[tuple[int, int]] = []
    for letter in range(len(text)):
        if not word_of(letter, 0):
            continue
        inside = pieces and pieces[-1][1] == letter and any(word_of(letter, s) & word_of(letter - 1, s) for s in (0, 1))
        pieces[-1:] = [(pieces[-1][0], letter + 1)] if inside else [*pieces[-1:], (letter, letter + 1)]
    return pieces


def on_pieces(weights: Tensor, spans: Any, pieces: list[tuple[int, int]], *, causal: bool) -> Any:
    """Keys summed, queries averaged; NaN where no query may look."""
    n = len(weights)
    seen = np.tril(np.ones((n, n), bool)) if causal else np.ones((n, n), bool)
    masked = np.where(seen, weights.numpy(), np.nan)
    groups = [[i for i, span in enumerate(spans) if span and start <= span[1] < end] for start, end in pieces]
    out = np.full((len(pieces), len(pieces)), np.nan)
    for u, queries in enumerate(groups):
        for v, keys in enumerate(groups):
            blocks = [masked[q][keys] for q in queries]
            sums = [np.nansum(block) for block in blocks if not np.isnan(block).all()]
            if sums:
                out[u, v] = np.mean(sums)
    return out


# ---- what goes wrong


def test_a_checkpoint_that_is_not_there_is_named_and_another_takes_its_place(compare: Compare) -> None:
    compare.open(b="/nowhere/<b>gone</b>")
    expect(compare.page.get_by_text("is not available")).to_contain_text("/nowhere/<b>gone</b>")
    expect(compare.side("b", "sidehead .name")).to_contain_text("elastic")


def test_a_side_of_several_stacks_is_refused_in_a_sentence(compare: Compare, own_checkpoints: Path) -> None:
    compare.page.goto(f"{compare.dashboard.server}/compare?{urlencode({'b': str(own_checkpoints / 'two stacks')})}")
    expect(compare.page.get_by_text("cannot be shown here")).to_contain_text("two stacks")
    assert compare.troubles() == []


@pytest.mark.parametrize(
    "params",
    [
        {"text": "<img src=x onerror=alert(1)>", "layer": "<script>", "k": "1e9", "view": "evil"},
        {"a": "javascript:alert(1)", "b": "../../etc/passwd", "part": "nothing", "policy": "'; drop"},
        {"k": "9999", "layer": "9999", "head": "9999", "table": "x|y|z"},
    ],
)
def test_a_hostile_address_opens_the_page_and_nothing_else(compare: Compare, params: dict[str, str]) -> None:
    compare.open(**params)
    assert compare.dashboard.dialogs == []
    assert compare.page.locator("img[src=x]").count() == 0
    assert compare.dashboard.hosts == {compare.dashboard.server.removeprefix("http://")}
    assert compare.troubles() == []


def test_the_same_checkpoint_twice_is_refused_in_words(compare: Compare) -> None:
    compare.open()
    compare.page.goto(f"{compare.dashboard.server}/compare?{urlencode({'a': A, 'b': A})}")
    expect(compare.find(".alert")).to_contain_text("same checkpoint")


def test_after_an_error_the_pictures_are_dim_and_named_by_their_own_text(dashboard: Dashboard) -> None:
    dashboard.page.goto(f"{dashboard.server}/compare")
    dashboard.page.locator("#root .cc[data-both=true]").wait_for()
    dashboard.page.locator("#compecon-first-picture").wait_for(state="detached")
    older, tokens = dashboard.page.locator("#root .cc .older"), dashboard.tokens()
    expect(older).to_be_hidden()
    for bad, says in ((" ", "empty"), ("😀 😀 😀", "does not know")):  # refused by the page, and by both models
        dashboard.type_text(bad)
        expect(dashboard.page.locator("#root .cc").get_by_text(says).first).to_be_visible()
        expect(older).to_contain_text("This picture is still of")
        assert dashboard.tokens() == tokens
        expect(dashboard.page.locator("#root .cc .bar")).to_have_css("opacity", "0.4")
    dashboard.type_text("The story is not loud.")
    expect(older).to_be_hidden()
