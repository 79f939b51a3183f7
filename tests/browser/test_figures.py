"""Heads, views and exports: every way to look at the numbers shows the library's."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from compecon.views.attention.example_texts import examples_for

FIRST = examples_for("sentiment")[0].text
FIGURES = ("chips", "heatmap", "lorenz", "atlas", "scarcity")


def test_clicking_and_arrow_keys_choose_a_head(dashboard: Any, library: Any, assert_same: Callable[..., None]) -> None:
    dashboard.open(k="4").page.get_by_label("Text", exact=True).wait_for()
    before = dashboard.picture("heatmap")
    dashboard.select_head(1, 7)
    assert dashboard.picture("heatmap") != before
    assert_same(dashboard.numbers(), library.numbers(FIRST, 4, 1, 7))
    dashboard.await_address(layer="1", head="7")
    atlas = dashboard.find("canvas.atlas")
    for key, layer, head in (("ArrowRight", 1, 8), ("ArrowDown", 2, 8), ("ArrowDown", 2, 8), ("ArrowLeft", 2, 7)):
        atlas.press(key)
        expect(dashboard.find(".headname")).to_have_text(f"Layer {layer} · head {head}")
        assert_same(dashboard.numbers(), library.numbers(FIRST, 4, layer, head))


def test_each_view_shows_its_own_numbers_in_nats_and_in_bits(
    dashboard: Any, library: Any, assert_same: Callable[..., None]
) -> None:
    dashboard.open(k="3", layer="2", head="1").page.get_by_label("Text", exact=True).wait_for()
    seen = []
    for view, tokens in itertools.product(("row", "received"), ("all", "content")):
        dashboard.press_switch("view", view)
        dashboard.press_switch("tokens", tokens)
        expected = library.numbers(FIRST, 3, 2, 1, view=view, tokens=tokens)
        dashboard.press_switch("unit", "nats")
        assert dashboard.statistic("entropy").endswith(" nats")
        assert_same(dashboard.numbers(), expected)
        dashboard.press_switch("unit", "bits")
        assert dashboard.statistic("entropy").endswith(" bits")
        assert_same(dashboard.numbers(), {**expected, "entropy": expected["entropy"] / math.log(2)})
        seen.append(dashboard.numbers())
    assert all(one != other for one, other in itertools.combinations(seen, 2))


def test_pinning_a_token_shows_what_it_reads(dashboard: Any, library: Any) -> None:
    dashboard.open(k="4")
    chip = dashboard.find(".chip").nth(3)
    chip.click()
    expect(dashboard.find(".chips h3")).to_have_text(f"What “{dashboard.tokens()[3]}” reads")
    read = library.weights(FIRST, 4)[3] > 0
    paper = dashboard.chip_colours()[int((~read).nonzero()[0])]
    assert [colour != paper for colour in dashboard.chip_colours()] == read.tolist()
    dashboard.find("canvas.heatmap").press("Escape")
    expect(dashboard.find(".chips h3")).to_have_text("Attention each token receives")


def test_hovering_over_the_matrix_names_both_tokens_and_the_weight(dashboard: Any, library: Any) -> None:
    dashboard.open(k="16")
    weights, tokens = library.weights(FIRST, 16), dashboard.tokens()
    x, y = dashboard.find("canvas.heatmap").evaluate(
        """async (c) => {
          const { heatmapBox } = await import(new URL('/compecon/shared/heatmap.js', location.origin).href);
          const { x, y, cell } = heatmapBox(c.clientWidth, c.clientHeight, 16);
          return [x + 4.5 * cell, y + 2.5 * cell];
        }"""
    )
    dashboard.find("canvas.heatmap").hover(position={"x": x, "y": y})
    expect(dashboard.find(".tip")).to_contain_text(
        f"“{tokens[2]}” gives “{tokens[4]}” {weights[2, 4].item():.3f} of its attention"
    )


# ---- exports


def read_csv(data: bytes) -> tuple[dict[str, str], list[dict[str, str]]]:
    lines = data.decode().splitlines()
    notes = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("# "))
    return notes, list(csv.DictReader(line for line in lines if not line.startswith("# ")))


def test_exported_numbers_are_the_shown_ones_with_where_they_come_from(dashboard: Any, library: Any) -> None:
    dashboard.open(k="5", layer="1", head="2").page.get_by_label("Text", exact=True).wait_for()
    weights = library.weights(FIRST, 5, 1, 2)

    notes, rows = read_csv(dashboard.export("lorenz", "csv"))
    numbers = {row["what"]: float(row["this_budget"]) for row in rows if row["what"] != "lorenz"}
    for name, value in library.numbers(FIRST, 5, 1, 2).items():
        assert numbers[name] == pytest.approx(value, abs=1e-4), name
    curve = [float(row["this_budget"]) for row in rows if row["what"] == "lorenz"]
    assert (curve[0], curve[-1]) == (0.0, pytest.approx(1.0))
    assert curve == sorted(curve)
    assert (notes["k"], notes["layer"], notes["head"], notes["policy"]) == ("5", "1", "2", "top-k")
    assert notes["checkpoint"].startswith("sentiment ")

    heatmap = json.loads(dashboard.export("heatmap", "json"))
    exported = torch.tensor([row["weight"] for row in heatmap["rows"]]).view_as(weights)
    torch.testing.assert_close(exported, weights, atol=1e-3, rtol=0)
    assert heatmap["provenance"]["n_tokens"] == dashboard.n

    _, atlas = read_csv(dashboard.export("atlas", "csv"))
    assert len(atlas) == 36
    gini = next(float(row["gini"]) for row in atlas if (row["layer"], row["head"]) == ("1", "2"))
    assert gini == pytest.approx(_shown := dashboard.numbers()["gini"], abs=1e-3), _shown

    _, scarcity = read_csv(dashboard.export("scarcity", "csv"))
    assert {row["policy"] for row in scarcity} == {"top-k", "random", "first", "sink-recent"}
    assert sum(row["policy"] == "top-k" for row in scarcity) == dashboard.n

    _, chips = read_csv(dashboard.export("chips", "csv"))
    assert [row["token"] for row in chips] == dashboard.tokens()
    assert [float(row["received"]) for row in chips] == pytest.approx(weights.mean(0).tolist(), abs=1e-3)


def test_every_figure_is_exported_as_a_picture(dashboard: Any) -> None:
    dashboard.open(text=FIRST).page.get_by_label("Text", exact=True).wait_for()
    for figure in FIGURES:
        picture = Image.open(io.BytesIO(dashboard.export(figure, "png"))).convert("RGB")
        assert len(picture.getcolors(maxcolors=picture.width * picture.height)) > 8, figure
        drawing = ET.fromstring(dashboard.export(figure, "svg"))  # noqa: S314 - our own page made it
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert len(drawing) > 10, figure


def test_the_copied_script_prints_the_shown_numbers(
    new_dashboard: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    dashboard = new_dashboard(permissions=["clipboard-read", "clipboard-write"]).open(k="3", layer="2", head="4")
    dashboard.find(".python").click()
    expect(dashboard.find(".python")).to_have_text("Copied")
    code = dashboard.page.evaluate("navigator.clipboard.readText()")
    exec(compile(code, "copied.py", "exec"), {})  # noqa: S102 - this is what a reader of the page does
    printed = re.search(r"Gini ([\d.]+) entropy, nats ([\d.]+)", capsys.readouterr().out)
    assert printed is not None
    shown = dashboard.numbers()
    assert float(printed[1]) == pytest.approx(shown["gini"], abs=1e-3)
    assert float(printed[2]) == pytest.approx(shown["entropy"], abs=1e-3)
