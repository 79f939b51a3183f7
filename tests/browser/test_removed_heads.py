"""A compacted checkpoint on the page: heads keep their places, and what was removed is said, not drawn as nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import expect

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.checkpoints.load import load_checkpoint
from compecon.stats import inequality as metrics
from tests.browser.conftest import KEPT

TEXT = "the film was great , but the end was unwatchable ."
GRID = (4, 6)
ONE, LAYER = "Layer 0, head 3 was removed from this model.", "All heads of layer 1 were removed from this model."
LEFT = sum(map(len, KEPT))


@pytest.fixture
def opened(dashboard: Any, own_checkpoints: Path) -> Any:
    dashboard.open(checkpoint=str(own_checkpoints / "compacted"), text=TEXT, k="4")
    dashboard.await_badge("exact")
    dashboard.page.get_by_label("Text", exact=True).wait_for()
    yield dashboard
    assert dashboard.errors == []


def filled(dashboard: Any, layer: int, head: int) -> float:
    """Share of a tile's inner pixels that are painted over: 1 for a colour, little for hatching."""
    script = """(c, [x, y]) => {
      const scale = c.width / c.clientWidth, [left, top, side] = [x - 8, y - 8, 16].map((at) => Math.round(at * scale));
      const { data } = c.getContext('2d').getImageData(left, top, side, side);
      let painted = 0;
      for (let i = 3; i < data.length; i += 4) painted += data[i] === 255;
      return painted / (data.length / 4);
    }"""
    return float(dashboard.find("canvas.atlas").evaluate(script, list(dashboard.tile(layer, head, GRID))))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_removed_heads_are_hatched_at_their_places(
    new_dashboard: Callable[..., Any], own_checkpoints: Path, scheme: str
) -> None:
    dashboard = new_dashboard(color_scheme=scheme)
    dashboard.open(checkpoint=str(own_checkpoints / "compacted"), text=TEXT, k="4")
    dashboard.await_badge("exact")
    for layer, kept in enumerate(KEPT):
        for head in range(6):
            share = filled(dashboard, layer, head)
            assert (share == 1) if head in kept else (share < 0.5), (layer, head)
    expect(dashboard.find(".atlasnote")).to_contain_text(f"{24 - LEFT} of 24 heads were removed")
    assert dashboard.errors == []


def test_the_page_opens_on_a_head_that_is_there(opened: Any) -> None:
    expect(opened.find(".headname")).to_have_text("Layer 0 · head 2")


def test_a_head_that_is_left_has_the_librarys_numbers(
    opened: Any, own_checkpoints: Path, assert_same: Callable[..., None]
) -> None:
    checkpoint = load_checkpoint(own_checkpoints / "compacted", "cpu")
    batch, limit = checkpoint.encode(TEXT).batch, budgeted_attention(checkpoint.model, KeyBudget(keys=4))
    with torch.inference_mode(), limit, recorded_attention(checkpoint.model) as layers:
        checkpoint.model(**batch)
    opened.select_head(2, 3, GRID)
    weights = next(one for one in layers if one.layer == 2).weights[0, KEPT[2].index(3)]
    shown = opened.numbers()
    assert_same(
        {name: shown[name] for name in ("gini", "entropy")},
        {"gini": metrics.gini(weights).mean().item(), "entropy": metrics.entropy(weights).mean().item()},
    )


@pytest.mark.parametrize(("layer", "head", "sentence"), [(0, 3, ONE), (1, 4, LAYER)])
def test_a_removed_head_says_so_everywhere(opened: Any, layer: int, head: int, sentence: str) -> None:
    opened.select_head(layer, head, GRID)
    expect(opened.find(".headname")).to_have_text(f"Layer {layer} · head {head} · removed")
    expect(opened.find(".chips h3")).to_have_text(sentence)
    for picture in ("heatmap", "lorenz"):
        expect(opened.find(f"canvas.{picture}")).to_have_attribute("aria-label", sentence)
        assert opened.colours(picture) > 8  # letters, whose edges have many shades
    cells = opened.find("tr.value td").all_inner_texts()
    assert set(cells) == {"—"}
    assert not "".join(opened.find("td.say").all_inner_texts()).strip()
    opened.find(".chip").first.hover()
    expect(opened.find(".tip")).to_have_text(sentence)
    opened.find("canvas.heatmap").hover()
    expect(opened.find(".tip")).to_have_text(sentence)


def test_hovering_over_a_removed_head_says_so(opened: Any) -> None:
    x, y = opened.tile(0, 3, GRID)
    opened.find("canvas.atlas").hover(position={"x": x, "y": y})
    expect(opened.find(".tip")).to_have_text(ONE)
    expect(opened.find(".headname")).to_have_text("Layer 0 · head 3 (preview)")


def test_arrow_keys_pass_over_removed_heads_one_by_one(opened: Any) -> None:
    atlas = opened.find("canvas.atlas")
    for key, said in (
        ("ArrowRight", "Layer 0 · head 3 · removed"),
        ("ArrowDown", "Layer 1 · head 3 · removed"),
        ("ArrowDown", "Layer 2 · head 3"),
        ("ArrowLeft", "Layer 2 · head 2 · removed"),
        ("ArrowDown", "Layer 3 · head 2"),
    ):
        atlas.press(key)
        expect(opened.find(".headname")).to_have_text(said)
        expect(atlas).to_have_attribute("aria-label", re.compile("removed$" if "removed" in said else r"\d$"))


def test_the_budget_bar_still_works_on_a_removed_head(opened: Any) -> None:
    opened.select_head(1, 0, GRID)
    for k in (1, 7, opened.n):
        opened.move_to(k)
        expect(opened.find(".chips h3")).to_have_text(LAYER)
        assert opened.answers()


def test_an_export_says_which_heads_were_removed(opened: Any) -> None:
    rows = json.loads(opened.export("atlas", "json"))["rows"]
    assert [(row["layer"], row["head"]) for row in rows if not row["removed"]] == [
        (layer, head) for layer, kept in enumerate(KEPT) for head in kept
    ]
    assert all((row["gini"] is None) == row["removed"] for row in rows)
    opened.select_head(0, 3, GRID)
    assert ONE.split(",")[0].encode() in opened.export("heatmap", "svg")


def test_the_copied_script_asks_for_the_head_by_its_place(opened: Any) -> None:
    stub = (
        "Object.defineProperty(navigator, 'clipboard', { value: { writeText: (text) => { window.copied = text; } } })"
    )
    opened.page.evaluate(stub)
    opened.find(".python").click()
    expect(opened.find(".python")).to_have_text("Copied")
    assert "kept_heads(checkpoint.model)[layer].index(head)" in opened.page.evaluate("window.copied")


def test_the_report_tells_how_many_heads_are_left(opened: Any) -> None:
    opened.page.get_by_text("About this checkpoint").click()
    expect(opened.page.get_by_text(f"compacted: {LEFT} of 24 heads left; none in layer 1")).to_be_visible()
