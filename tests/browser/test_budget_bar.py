"""The budget bar, and whether the numbers beside it are the library's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from compecon.views.attention.budget_grid import budget_grid
from compecon.views.attention.example_texts import examples_for

FIRST = examples_for("sentiment")[0].text
LONG = next(e.text for e in examples_for("sentiment") if e.title == "A long review")


def test_dragging_changes_everything_on_the_way_and_tells_the_server_nothing(dashboard: Any) -> None:
    dashboard.open().page.get_by_label("Text", exact=True).wait_for()
    dashboard.move_to(2)
    dashboard.await_address(k="2")
    box, mouse = dashboard.bar.bounding_box(), dashboard.page.mouse
    x, y = box["x"] + box["width"] * 1.5 / (dashboard.n - 1), box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    sent, asked = dashboard.frames_sent, len(dashboard.paths)
    seen: list[tuple[Any, ...]] = []
    for _ in range(8):
        x += box["width"] / dashboard.n
        mouse.move(x, y)
        seen.append(
            (
                dashboard.k,
                dashboard.statistic("gini"),
                dashboard.statistic("entropy"),
                dashboard.picture("heatmap"),
                tuple(dashboard.chip_colours()),
            )
        )
    assert (dashboard.frames_sent, len(dashboard.paths)) == (sent, asked)
    assert "k=2" in dashboard.page.url
    mouse.up()
    dashboard.await_address(k=str(dashboard.k))
    ks, *others = zip(*seen, strict=True)
    assert list(ks) == sorted(set(ks))
    assert len(ks) == 8
    assert all(len(set(values)) == len(seen) for values in others)  # each changed at every step


def test_sentences_follow_once_the_pointer_rests_and_when_it_lets_go(dashboard: Any) -> None:
    dashboard.open().page.get_by_label("Text", exact=True).wait_for()

    def sentences() -> list[str]:
        return [dashboard.find(".verdict").inner_text(), *dashboard.find("td.say").all_inner_texts()]

    said = {}
    for k in (3, 9):
        dashboard.move_to(k)
        said[k] = sentences()
    assert said[3] != said[9]
    box, mouse = dashboard.bar.bounding_box(), dashboard.page.mouse
    y = box["y"] + box["height"] / 2
    xs = {k: box["x"] + 8 + (box["width"] - 16) * (k - 1) / (dashboard.n - 1) for k in (3, 9)}
    mouse.move(xs[9], y)
    mouse.down()
    mouse.move(xs[3], y)
    assert dashboard.k == 3
    expect(dashboard.find(".verdict")).to_have_text(said[3][0])
    assert sentences() == said[3]
    mouse.move(xs[9], y)
    expect(dashboard.find(".verdict")).to_have_text(said[9][0])
    mouse.move(xs[3], y)
    mouse.up()
    assert sentences() == said[3]


def test_the_numbers_at_a_budget_are_the_librarys(
    dashboard: Any, library: Any, assert_same: Callable[..., None]
) -> None:
    dashboard.open(k="3", layer="2", head="5")
    for k in (3, 1, 8, 15, dashboard.n):
        dashboard.move_to(k)
        assert_same(dashboard.numbers(), library.numbers(FIRST, k, 2, 5))
        assert_same(dashboard.numbers("full"), library.numbers(FIRST, dashboard.n, 2, 5))
        assert_same(dashboard.answers(), library.answers(FIRST, k))


def test_arrow_keys_move_the_bar(dashboard: Any, library: Any, assert_same: Callable[..., None]) -> None:
    dashboard.open(k="5").page.get_by_label("Text", exact=True).wait_for()
    dashboard.bar.focus()
    for key, k in (("ArrowRight", 6), ("ArrowUp", 7), ("ArrowLeft", 6), ("Home", 1), ("End", dashboard.n)):
        dashboard.bar.press(key)
        assert dashboard.k == k
        assert dashboard.bar.get_attribute("aria-valuetext") == f"{k} of {dashboard.n} keys"
    assert_same(dashboard.numbers(), library.numbers(FIRST, dashboard.n))
    dashboard.await_address(k=str(dashboard.n))


def test_a_long_text_is_previewed_between_grid_budgets_and_exact_at_rest(
    dashboard: Any, library: Any, assert_same: Callable[..., None]
) -> None:
    dashboard.open(text=LONG)
    dashboard.await_badge("exact")
    n = dashboard.n
    assert n == 92
    k = dashboard.rest_between(budget_grid(n))
    dashboard.await_badge("exact")
    assert_same(dashboard.numbers(), library.numbers(LONG, k))
    assert_same(dashboard.answers(), library.answers(LONG, k))


def test_a_text_of_three_hundred_tokens_is_read_layer_by_layer(
    dashboard: Any, library: Any, assert_same: Callable[..., None]
) -> None:
    text = " ".join([LONG] * 3)
    n = len(library.encode(text).tokens)
    assert 250 < n < 350
    grid = budget_grid(n)
    dashboard.open().type_text(text)
    expect(dashboard.find(".k")).to_contain_text(f"of {n}")
    dashboard.open(text=text, k=str(grid[8]), layer="1")  # by its address, onto a grid budget
    dashboard.await_badge("exact")
    assert_same(dashboard.numbers(), library.numbers(text, grid[8], 1))
    dashboard.find("canvas.atlas").press("ArrowDown")  # this layer's matrices were not sent
    expect(dashboard.find(".headname")).to_contain_text("Layer 2")
    dashboard.await_badge("exact")
    assert_same(dashboard.numbers(), library.numbers(text, grid[8], 2))
    assert dashboard.errors == []
