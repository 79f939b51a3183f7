"""The compute bar of an elastic checkpoint: every size is there before it is dragged to, and is the library's."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.compression.elastic.sizes_offered import sizes_offered
from compecon.compression.shape import CompactShape
from compecon.stats import inequality as metrics

TEXT = "the film was great , but the end was unwatchable ."
OTHER = "great film , bad end"
GRID = (4, 6)


@pytest.fixture(scope="module")
def elastic(own_checkpoints: Path) -> Checkpoint:
    return load_checkpoint(own_checkpoints / "elastic", "cpu")


@pytest.fixture(scope="module")
def sizes(elastic: Checkpoint) -> list[float]:
    """Ascending, as the bar has them."""
    assert elastic.elastic is not None
    return sorted(sizes_offered(elastic.elastic.prices))


@pytest.fixture
def opened(dashboard: Any, own_checkpoints: Path) -> Any:
    opened_at(dashboard, own_checkpoints)
    yield dashboard
    assert dashboard.errors == []


def opened_at(dashboard: Any, folder: Path, **params: str) -> None:
    """Open the elastic checkpoint, and wait until all its sizes have come and were timed."""
    with dashboard.page.expect_event("requestfinished", lambda request: request.url.endswith("/compecon/latency")):
        dashboard.open(**{"checkpoint": str(folder / "elastic"), "text": TEXT, "k": "4", **params})
    dashboard.await_badge("exact")
    dashboard.page.get_by_label("Text", exact=True).wait_for()


def bar(dashboard: Any) -> Any:
    return dashboard.find(".compute input")


def shown_size(dashboard: Any) -> float:
    return float(dashboard.find(".size").inner_text().split("%")[0]) / 100


def move_to(dashboard: Any, sizes: list[float], size: float) -> None:
    bar(dashboard).fill(str(sizes.index(size)))
    assert shown_size(dashboard) == pytest.approx(size, abs=5e-4)


def of_library(checkpoint: Checkpoint, k: int, layer: int, head: int) -> tuple[dict[str, float], dict[str, float]]:
    """Statistics of a head, {} if it is sold, and the answers."""
    batch, limit = checkpoint.encode(TEXT).batch, budgeted_attention(checkpoint.model, KeyBudget(keys=k))
    with torch.inference_mode(), limit, recorded_attention(checkpoint.model) as layers:
        logits = checkpoint.model(**batch).logits[0]
    kept = CompactShape.of(checkpoint.model.config).heads[layer]
    answers = dict(zip(checkpoint.labels, logits.softmax(-1).tolist(), strict=True))
    if head not in kept:
        return {}, answers
    weights = next(one for one in layers if one.layer == layer).weights[0, kept.index(head)]
    gini, entropy = metrics.gini(weights).mean().item(), metrics.entropy(weights).mean().item()
    return {"gini": gini, "entropy": entropy}, answers


def assert_is(
    dashboard: Any, checkpoint: Checkpoint, layer: int, head: int, same: Callable[[Mapping[str, float], Any], None]
) -> None:
    """The page shows what the library computes of a checkpoint of one size."""
    statistics, answers = of_library(checkpoint, dashboard.k, layer, head)
    same(dashboard.answers(), answers)
    if statistics:
        shown = dashboard.numbers()
        same({name: shown[name] for name in statistics}, statistics)
    else:
        assert set(dashboard.find("tr.value td").all_inner_texts()) == {"—"}


def test_dragging_the_size_asks_for_nothing_and_shows_the_librarys_numbers(
    opened: Any, elastic: Checkpoint, sizes: list[float], assert_same: Callable[..., None]
) -> None:
    box, mouse = bar(opened).bounding_box(), opened.page.mouse
    y = box["y"] + box["height"] / 2
    xs = [box["x"] + 8 + (box["width"] - 16) * i / (len(sizes) - 1) for i in range(len(sizes))]
    mouse.move(xs[-1], y)
    mouse.down()
    sent, n_asked = opened.frames_sent, len(opened.paths)
    seen = []
    for i in reversed(range(len(sizes))):
        mouse.move(xs[i], y)
        assert shown_size(opened) == pytest.approx(sizes[i], abs=5e-4)
        assert_is(opened, elastic.at(sizes[i]), 0, 0, assert_same)
        seen.append((opened.picture("atlas"), opened.find(".left").inner_text()))
    assert (opened.frames_sent, opened.paths[n_asked:]) == (sent, [])
    mouse.up()
    assert all(len(set(values)) > len(sizes) // 2 for values in zip(*seen, strict=True))
    opened.await_address(size=f"{sizes[0]:g}")


def test_every_budget_of_every_size_is_exact(
    opened: Any, elastic: Checkpoint, sizes: list[float], assert_same: Callable[..., None]
) -> None:
    for size in (sizes[0], sizes[1], 1.0):
        for k in (1, 6, opened.n):
            opened.bar.fill(str(k - 1))
            move_to(opened, sizes, size)
            opened.await_badge("exact")
            assert_is(opened, elastic.at(size), 0, 0, assert_same)


def test_sold_heads_are_said_and_counted(opened: Any, elastic: Checkpoint, sizes: list[float]) -> None:
    kept = CompactShape.of(elastic.at(sizes[0]).model.config).heads
    n_left = sum(map(len, kept))
    layer, head = next((i, h) for i in range(GRID[0]) for h in range(GRID[1]) if h not in kept[i] and kept[i])
    height = opened.find(".bar").bounding_box()["height"]
    opened.select_head(layer, head, GRID)
    move_to(opened, sizes, sizes[0])
    expect(opened.find(".headname")).to_have_text(f"Layer {layer} · head {head} · sold")
    expect(opened.find(".chips h3")).to_contain_text(f"Layer {layer}, head {head} is sold at")
    expect(opened.find(".atlasnote")).to_contain_text(f"{24 - n_left} of 24 heads are sold")
    expect(opened.find(".left")).to_contain_text(f"{n_left} of 24 heads")
    rows = json.loads(opened.export("atlas", "json"))
    assert rows["provenance"]["size"] == sizes[0]
    assert {(row["layer"], row["head"]) for row in rows["rows"] if not row["removed"]} == {
        (i, h) for i, heads in enumerate(kept) for h in heads
    }
    move_to(opened, sizes, 1.0)
    expect(opened.find(".headname")).to_have_text(f"Layer {layer} · head {head}")
    assert opened.find(".bar").bounding_box()["height"] == height


def texts(drawing: bytes) -> list[str]:
    """What is written in an SVG."""
    return [node.text or "" for node in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314


def test_a_saved_picture_says_its_size_below_itself(opened: Any, sizes: list[float]) -> None:
    move_to(opened, sizes, sizes[0])
    for figure in ("chips", "heatmap", "lorenz", "atlas", "scarcity", "sizes"):
        assert texts(opened.export(figure, "svg"))[-1] == f"{100 * sizes[0]:g}% of the MACs", figure
    for figure in ("chips", "atlas"):
        picture = Image.open(io.BytesIO(opened.export(figure, "png"))).convert("L")
        strip = picture.crop((0, picture.height - 3 * 20, picture.width, picture.height))
        assert len(strip.getcolors()) > 8, figure  # letters


def test_keys_move_the_bar_and_it_says_in_words_where_it_is(opened: Any, sizes: list[float]) -> None:
    bar(opened).focus()
    at = len(sizes) - 1
    for key, to in (("ArrowLeft", at - 1), ("ArrowDown", at - 2), ("ArrowRight", at - 1), ("Home", 0), ("End", at)):
        bar(opened).press(key)
        assert shown_size(opened) == pytest.approx(sizes[to], abs=5e-4)
        assert re.match(r"[\d.]+% of the MACs: .* heads, .* neurons left", bar(opened).get_attribute("aria-valuetext"))


def test_a_link_restores_the_size(
    dashboard: Any, own_checkpoints: Path, elastic: Checkpoint, sizes: list[float], assert_same: Callable[..., None]
) -> None:
    opened_at(dashboard, own_checkpoints)
    move_to(dashboard, sizes, sizes[1])
    dashboard.await_address(size=f"{sizes[1]:g}")
    dashboard.page.reload()
    dashboard.settle()
    dashboard.await_badge("exact")
    assert shown_size(dashboard) == pytest.approx(sizes[1], abs=5e-4)
    assert_is(dashboard, elastic.at(sizes[1]), 0, 0, assert_same)
    assert dashboard.errors == []


def test_the_size_on_the_screen_comes_first_and_the_nearest_next(
    dashboard: Any, own_checkpoints: Path, sizes: list[float]
) -> None:
    asked: list[Any] = []
    dashboard.page.on(
        "request",
        lambda request: asked.append(request.post_data_json) if request.url.endswith("/compecon/sweep") else None,
    )
    opened_at(dashboard, own_checkpoints, size=f"{sizes[1]:g}")
    order = [body.get("size", 1) for body in asked]
    assert order[0] == sizes[1]
    assert sorted(order) == sizes  # each once
    distances = [abs(sizes.index(size) - 1) for size in order]
    assert distances == sorted(distances)


def test_a_second_text_while_sizes_stream(
    dashboard: Any, own_checkpoints: Path, elastic: Checkpoint, sizes: list[float], assert_same: Callable[..., None]
) -> None:
    dashboard.open(checkpoint=str(own_checkpoints / "elastic"), text=OTHER, k="4")
    dashboard.page.get_by_label("Text", exact=True).wait_for()
    held: list[Any] = []
    dashboard.page.route("**/compecon/sweep", lambda route: held.append(route))  # what is asked for now waits
    move_to(dashboard, sizes, sizes[0])
    dashboard.page.unroute("**/compecon/sweep")
    with dashboard.page.expect_event("requestfinished", lambda request: request.url.endswith("/compecon/latency")):
        dashboard.type_text(TEXT)
        expect(dashboard.find(".list")).to_contain_text("watch")
    dashboard.await_badge("exact")
    for size in (sizes[0], 1.0, sizes[-2]):
        move_to(dashboard, sizes, size)
        assert_is(dashboard, elastic.at(size), 0, 0, assert_same)
    assert dashboard.errors == []


def test_a_size_that_cannot_be_had_leaves_the_last_picture(dashboard: Any, own_checkpoints: Path) -> None:
    def answer(route: Any) -> None:
        if route.request.post_data_json.get("size", 1) < 1:
            route.fulfill(status=404, json={"error": "It is gone."})
        else:
            route.continue_()

    dashboard.page.route("**/compecon/sweep", answer)
    dashboard.open(checkpoint=str(own_checkpoints / "elastic"), text=TEXT, k="4")
    dashboard.await_badge("exact")
    answers = dashboard.answers()
    bar(dashboard).fill("0")
    expect(dashboard.find(".alert")).to_contain_text("It is gone.")
    dashboard.await_badge("exact")
    assert shown_size(dashboard) == 1
    assert dashboard.answers() == answers


def test_a_checkpoint_of_one_size_has_no_bar(dashboard: Any, own_checkpoints: Path, sizes: list[float]) -> None:
    opened_at(dashboard, own_checkpoints, size=f"{sizes[0]:g}")
    expect(bar(dashboard)).to_have_count(1)
    dashboard.open(checkpoint=str(own_checkpoints / "compacted"), text=TEXT, k="4", size="0.4")
    dashboard.await_badge("exact")
    expect(bar(dashboard)).to_have_count(0)
    expect(dashboard.find(".sizecurve")).to_be_hidden()
    expect(dashboard.find(".alert")).to_be_hidden()
    assert dashboard.errors == []


def test_milliseconds_are_measured_once_on_this_machine(opened: Any, sizes: list[float]) -> None:
    for size in (sizes[0], 1.0):
        move_to(opened, sizes, size)
        expect(opened.find(".compute .reads")).to_have_text(
            re.compile(r"[\d.]+ ms \([\d.]+ to [\d.]+\).*measured here")
        )
    opened.page.evaluate("new Promise((rested) => setTimeout(rested, 500))")  # the page's own pause is 140 ms
    assert opened.paths.count("/compecon/latency") == 1


def divergences(elastic: Checkpoint, sizes: list[float], k: int) -> dict[float, float]:
    """KL of each size from the whole model in nats, both reading k keys."""
    answers = {size: torch.tensor(list(of_library(elastic.at(size), k, 0, 0)[1].values())) for size in sizes}
    whole = answers[1.0]
    return {size: float((whole * (whole / each).log()).sum()) for size, each in answers.items()}


def test_the_curve_of_sizes_is_the_librarys_divergence_and_a_drag_over_it_moves_the_size(
    opened: Any, elastic: Checkpoint, sizes: list[float]
) -> None:
    for k in (4, 1):
        opened.bar.fill(str(k - 1))
        expected = divergences(elastic, sizes, k)
        rows = json.loads(opened.export("sizes", "json"))["rows"]
        assert {row["k"] for row in rows} == {k}
        assert {row["size"]: row["change"] for row in rows} == pytest.approx(expected, rel=1e-3, abs=1e-6)
    expect(opened.find(".sizenote")).not_to_contain_text("still to come")
    canvas = opened.find("canvas.sizes")
    before = opened.picture("sizes")
    box = canvas.bounding_box()
    canvas.click(position={"x": 44, "y": box["height"] / 2})  # the left end of its axis
    assert shown_size(opened) == pytest.approx(sizes[0], abs=5e-4)
    assert opened.picture("sizes") != before
    opened.await_address(size=f"{sizes[0]:g}")


def test_the_curve_of_sizes_grows_while_sizes_arrive(
    dashboard: Any, own_checkpoints: Path, elastic: Checkpoint, sizes: list[float]
) -> None:
    held: list[Any] = []
    last = sizes[0]

    def answer(route: Any) -> None:
        held.append(route) if route.request.post_data_json.get("size", 1) == last else route.continue_()

    dashboard.page.route("**/compecon/sweep", answer)
    dashboard.open(checkpoint=str(own_checkpoints / "elastic"), text=TEXT, k="4")
    expect(dashboard.find(".sizenote")).to_contain_text("1 size is still to come")
    rows = json.loads(dashboard.export("sizes", "json"))["rows"]
    expected = divergences(elastic, sizes, 4)
    assert {row["size"]: row["change"] for row in rows} == pytest.approx(
        {size: expected[size] for size in sizes[1:]}, rel=1e-3, abs=1e-6
    )
    held[0].continue_()
    expect(dashboard.find(".sizenote")).not_to_contain_text("still to come")
    assert len(json.loads(dashboard.export("sizes", "json"))["rows"]) == len(sizes)
    assert dashboard.errors == []


@pytest.mark.parametrize("together", [False, True])
def test_each_elastic_side_of_a_comparison_has_a_bar(
    dashboard: Any, own_checkpoints: Path, sizes: list[float], together: bool
) -> None:
    folder = str(own_checkpoints / "elastic")
    dashboard.page.goto(f"{dashboard.server}/compare?a={folder}&b={folder}&text={TEXT}&size_b={sizes[0]:g}&k=4")
    of_a, of_b = (dashboard.find(".size").nth(i) for i in (0, 1))
    expect(of_a).to_have_text("100% of the MACs")
    expect(of_b).to_have_text(f"{100 * sizes[0]:g}% of the MACs")
    expect(dashboard.find(".atlases [data-side=b] .note")).to_contain_text("sold")
    if together:
        dashboard.find(".together").click()
    bar(dashboard).nth(0).fill("1")
    expect(of_a).to_have_text(f"{100 * sizes[1]:g}% of the MACs")
    expect(of_b).to_have_text(f"{100 * sizes[1 if together else 0]:g}% of the MACs")
    dashboard.await_address(size_a=f"{sizes[1]:g}", size_b=f"{sizes[1 if together else 0]:g}")
    for badge in dashboard.find(".side .badge").all():
        expect(badge).to_have_attribute("data-kind", "exact")
    said = [f"{letter} at {text.inner_text()}" for letter, text in (("A", of_a), ("B", of_b))]
    for figure in ("heatmap-a", "heatmap-d", "atlas-b", "lorenz", "scarcity"):
        assert texts(dashboard.export(figure, "svg"))[-2:] == said, figure
    assert [error for error in dashboard.errors if "404" not in error] == []  # there is no early picture of these


def test_swapping_exchanges_the_sizes_too(
    dashboard: Any, own_checkpoints: Path, elastic: Checkpoint, sizes: list[float], assert_same: Callable[..., None]
) -> None:
    folder = str(own_checkpoints / "elastic")
    one, other = sizes[0], sizes[2]
    dashboard.page.goto(
        f"{dashboard.server}/compare?a={folder}&b={folder}&text={TEXT}&size_a={one:g}&size_b={other:g}&k=4"
    )

    def await_answers(*shown: float) -> None:
        for side, size in zip("ab", shown, strict=True):
            place = dashboard.find(f".side[data-side={side}]")
            expect(place.locator(".badge")).to_have_attribute("data-kind", "exact")
            pairs = [box.locator("span").all_inner_texts() for box in place.locator(".answer .name").all()]
            assert_same({name: float(p) for name, p in pairs}, of_library(elastic.at(size), 4, 0, 0)[1])
            expect(dashboard.find(".size").nth("ab".index(side))).to_have_text(f"{100 * size:g}% of the MACs")

    expect(dashboard.find(".compute")).to_have_count(2)
    assert [label.split()[-1] for label in dashboard.find(".compute label").all_inner_texts()] == ["A", "B"]
    await_answers(one, other)
    dashboard.find(".swap").click()
    await_answers(other, one)
    dashboard.await_address(size_a=f"{other:g}", size_b=f"{one:g}")
    dashboard.page.reload()
    expect(dashboard.find(".compute")).to_have_count(2)
    await_answers(other, one)


@pytest.mark.parametrize(("checkpoint", "asked"), [("elastic", "0.00001"), ("elastic", "0.41"), ("compacted", "0.4")])
def test_a_size_that_is_not_there_leaves_the_address(
    dashboard: Any, own_checkpoints: Path, checkpoint: str, asked: str
) -> None:
    dashboard.open(checkpoint=str(own_checkpoints / checkpoint), text=TEXT, k="4", layer="1", size=asked)
    dashboard.page.wait_for_url(lambda url: f"size={asked}" not in url)
    dashboard.await_badge("exact")
    if asked == "0.00001":
        expect(dashboard.find(".alert")).to_contain_text("smallest that was trained")
    assert dashboard.address.get("size") == ("0.4" if asked == "0.41" else None)


def test_where_memory_ends_sizes_are_asked_for_by_hand_alone_and_take_each_others_place(
    opened: Any, sizes: list[float]
) -> None:
    asked: list[float] = []
    opened.page.on(
        "request",
        lambda request: asked.append(request.post_data_json.get("size", 1)) if "/sweep" in request.url else None,
    )
    opened.page.evaluate("""async () => {
      const { Sizes } = await import(new URL('/compecon/shared/sizes.js', location.origin).href);
      Sizes.mostBytes = 1;
    }""")
    with opened.page.expect_event("requestfinished", lambda request: request.url.endswith("/compecon/latency")):
        opened.type_text(f"{TEXT} bad")  # what comes after the whole of it is the measurement, the last request of all
    for size in (sizes[0], 1.0, sizes[0]):
        move_to(opened, sizes, size)
        opened.await_badge("exact")
    assert asked == [1, sizes[0], 1, sizes[0]]


def test_a_long_texts_layers_come_at_the_size_that_is_shown(
    dashboard: Any, own_checkpoints: Path, assert_same: Callable[..., None]
) -> None:
    folder = own_checkpoints / "elastic-long"
    checkpoint = load_checkpoint(folder, "cpu").at(0.6)
    text = "fine film " * 120
    dashboard.open(checkpoint=str(folder), text=text, k="20", size="0.6")
    dashboard.await_badge("exact")
    kept = CompactShape.of(checkpoint.model.config).heads

    def is_of_main_lane(request: Any) -> bool:  # others are sizes asked for ahead
        return "/sweep" in request.url and request.post_data_json["client"].endswith("-main")

    for layer in (2, 0):
        with dashboard.page.expect_request(is_of_main_lane) as sent:
            dashboard.select_head(layer, kept[layer][0])
        dashboard.await_badge("exact")
        assert {"layer": layer, "size": 0.6}.items() <= sent.value.post_data_json.items()
        batch = checkpoint.encode(text.strip()).batch
        limit = budgeted_attention(checkpoint.model, KeyBudget(keys=dashboard.k))
        with torch.inference_mode(), limit, recorded_attention(checkpoint.model) as layers:
            checkpoint.model(**batch)
        weights = next(one for one in layers if one.layer == layer).weights[0, 0]
        assert_same({"gini": dashboard.numbers()["gini"]}, {"gini": metrics.gini(weights).mean().item()})
    assert dashboard.errors == []


def test_the_scale_of_a_difference_stays_in_a_drag_of_a_size(
    dashboard: Any, own_checkpoints: Path, sizes: list[float]
) -> None:
    folder = str(own_checkpoints / "elastic")
    dashboard.page.goto(f"{dashboard.server}/compare?a={folder}&b={folder}&text={TEXT}&size_b={sizes[0]:g}&k=4")
    for i in range(2):  # all sizes of a side have come once its milliseconds are there
        expect(dashboard.find(".compute .reads").nth(i)).to_contain_text("measured here")
    scales, pictures = set(), set()
    for size in sizes:
        bar(dashboard).nth(0).fill(str(sizes.index(size)))
        pictures.add(dashboard.picture("atlas.d"))
        drawing = texts(dashboard.export("atlas-d", "svg"))
        end = next(i for i, text in enumerate(drawing) if text.startswith("A − B"))
        scales.add(tuple(drawing[end - 2 : end]))
    assert len(pictures) == len(sizes)
    assert len(scales) == 1
