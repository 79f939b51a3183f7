"""What a person sees before touching anything."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from PIL import Image

from compecon.views.attention.example_texts import examples_for

FIRST = examples_for("sentiment")[0].text
FIGURES = ("heatmap", "lorenz", "atlas", "scarcity")


def test_the_page_opens_on_a_finished_picture(dashboard: Any, library: Any, assert_same: Callable[..., None]) -> None:
    dashboard.open()
    dashboard.await_badge("recorded")
    assert all(dashboard.colours(figure) > 8 for figure in FIGURES)
    assert dashboard.tokens() == list(library.encode(FIRST).tokens)
    assert_same(dashboard.numbers(), library.numbers(FIRST, dashboard.k))
    assert_same(dashboard.answers(), library.answers(FIRST, dashboard.k))
    assert dashboard.find(".alert").is_hidden()
    dashboard.page.get_by_label("Text", exact=True).wait_for()  # the widgets have come, too
    assert dashboard.errors == []
    assert dashboard.hosts == {dashboard.server.removeprefix("http://")}


def test_a_laptop_shows_the_bar_and_three_figures_without_scrolling(dashboard: Any) -> None:
    dashboard.open().page.get_by_label("Text", exact=True).wait_for()
    for selector in ("input[type=range]", "canvas.heatmap", "canvas.lorenz", "canvas.atlas"):
        box = dashboard.find(selector).bounding_box()
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= 1280, selector
        assert box["y"] >= 0, selector
        assert box["y"] + box["height"] <= 800, selector
    picture = Image.open(io.BytesIO(dashboard.page.screenshot())).convert("RGB")
    colours = picture.getcolors(maxcolors=picture.width * picture.height)
    assert len(colours) > 200
    assert max(count for count, _ in colours) < 0.95 * picture.width * picture.height  # not blank


def luminance(colour: Sequence[float]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def background(shot: bytes) -> float:
    """Luminance of the commonest colour."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    _, colour = max(picture.getcolors(maxcolors=picture.width * picture.height))
    return luminance(colour)


def ink(dashboard: Any) -> float:
    """Luminance of the headings."""
    return luminance(
        dashboard.find("h3").first.evaluate("h => getComputedStyle(h).color.match(/[\\d.]+/g).map(Number)")
    )


def test_the_page_follows_the_colour_scheme(new_dashboard: Callable[..., Any]) -> None:
    dark = new_dashboard(color_scheme="dark").open()
    assert background(dark.page.screenshot()) < 60
    assert background(dark.find("canvas.heatmap").screenshot()) < 60
    assert ink(dark) > 160
    dark.page.emulate_media(color_scheme="light")
    dark.page.reload()
    dark.settle()
    dark.find("canvas.heatmap").wait_for()
    dark.await_badge("recorded")
    assert background(dark.page.screenshot()) > 200
    assert background(dark.find("canvas.heatmap").screenshot()) > 200
    assert ink(dark) < 100


@pytest.mark.parametrize("name", ["sentiment", "similarity", "entailment", "causal"])
def test_every_bundled_checkpoint_opens_on_a_recording(dashboard: Any, bundled: list[str], name: str) -> None:
    if name not in bundled:
        pytest.skip(f"{name} is not bundled")
    example = examples_for(name)[0]
    params: Mapping[str, str] = {"checkpoint": name, "text": example.text, "pair": example.pair}
    dashboard.open(**{key: value for key, value in params.items() if value})
    dashboard.await_badge("recorded")
    assert all(dashboard.colours(figure) > 8 for figure in FIGURES)
    assert dashboard.find(".answer").count() > 0
    assert dashboard.errors == []
