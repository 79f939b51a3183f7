"""Texts that a person types: good ones, none, and hostile ones."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import expect

from compecon.views.attention.budget_grid import budget_grid
from compecon.views.attention.example_texts import examples_for

MINE = "The music is loud. The story is not."
LONG = next(e.text for e in examples_for("sentiment") if e.title == "A long review")
HOSTILE = (
    "<img src=x onerror=alert(1)> ![](http://evil.example/x.png) $\\alpha$ :smile: **b** "
    "[x](javascript:alert(1)) </script><script>alert(2)</script> \"q\" 'q' & <b>bold</b>"
)


def test_a_typed_text_is_computed_exactly(dashboard: Any, library: Any, assert_same: Callable[..., None]) -> None:
    dashboard.open(head="3")
    dashboard.type_text(MINE)
    expect(dashboard.find(".list")).to_contain_text("music")
    dashboard.await_badge("exact")
    assert dashboard.tokens() == list(library.encode(MINE).tokens)
    dashboard.await_address(text=MINE)
    for k in (2, dashboard.n):
        dashboard.bar.fill(str(k - 1))
        dashboard.await_badge("exact")
        assert_same(dashboard.numbers(), library.numbers(MINE, k, 0, 3))
        assert_same(dashboard.answers(), library.answers(MINE, k))
    dashboard.find("canvas.atlas").press("ArrowRight")  # one key, one step: nothing is listening twice
    expect(dashboard.find(".headname")).to_have_text("Layer 0 · head 4")
    assert dashboard.errors == []


def test_a_text_is_asked_for_while_typing_rests_and_once(
    dashboard: Any, library: Any, assert_same: Callable[..., None]
) -> None:
    dashboard.open(k="4")
    field = dashboard.page.get_by_label("Text", exact=True)
    field.wait_for()
    before = dashboard.tokens()

    def asking() -> Any:
        return dashboard.page.expect_request(lambda request: request.url.endswith("/compecon/sweep"))

    with asking():
        field.fill(f"{LONG} {LONG} {LONG}")
    with dashboard.page.expect_event("requestfailed"), asking():  # nobody wants the first any more
        field.fill(MINE)
    assert dashboard.tokens() == before
    asked = dashboard.paths.count("/compecon/sweep")
    field.press("Control+Enter")
    expect(dashboard.find(".list")).to_contain_text("music")
    dashboard.await_badge("exact")
    dashboard.await_address(text=MINE)
    assert dashboard.tokens() == list(library.encode(MINE).tokens)
    assert_same(dashboard.numbers(), library.numbers(MINE, 4))
    assert_same(dashboard.answers(), library.answers(MINE, 4))
    assert dashboard.paths.count("/compecon/sweep") == asked
    assert dashboard.errors == []


def test_a_text_that_is_too_long_is_offered_without_its_end(dashboard: Any, library: Any) -> None:
    words = [f"good{'.' if i % 7 else ' film'}" for i in range(600)]
    dashboard.open()
    dashboard.type_text(" ".join(words))
    expect(dashboard.find(".alert")).to_contain_text("512")
    dashboard.find(".alert .fits").click()
    expect(dashboard.find(".alert")).to_be_hidden()
    expect(dashboard.find(".list")).to_contain_text("good")
    read = dashboard.page.get_by_label("Text", exact=True).input_value()
    n_read = len(read.split())
    assert " ".join(words).startswith(read)
    assert dashboard.tokens() == list(library.encode(read).tokens)
    one_more = " ".join(" ".join(words).split()[: n_read + 1])
    assert len(dashboard.tokens()) <= 512 < len(library.checkpoint.tokenizer(one_more)["input_ids"])
    assert dashboard.errors == []


def test_an_empty_text_keeps_the_last_picture_under_a_sentence(dashboard: Any) -> None:
    dashboard.open()
    tokens, picture = dashboard.tokens(), dashboard.picture("heatmap")
    dashboard.type_text("   ")
    expect(dashboard.find(".alert")).to_contain_text("The text is empty")
    assert dashboard.tokens() == tokens
    assert dashboard.picture("heatmap") == picture
    dashboard.type_text(MINE)
    expect(dashboard.find(".alert")).to_be_hidden()
    expect(dashboard.find(".list")).to_contain_text("music")


def test_the_same_text_again_takes_the_error_away(dashboard: Any) -> None:
    dashboard.open()
    dashboard.type_text("   ")
    expect(dashboard.find(".alert")).to_be_visible()
    dashboard.type_text(examples_for("sentiment")[0].text)
    expect(dashboard.find(".alert")).to_be_hidden()


def test_a_link_to_an_empty_text_says_so_and_is_not_loading_for_ever(dashboard: Any) -> None:
    dashboard.page.goto(f"{dashboard.server}/?text=%20")
    expect(dashboard.find(".alert")).to_contain_text("The text is empty")
    dashboard.page.get_by_label("Text", exact=True).wait_for()
    expect(dashboard.find(".badge")).not_to_contain_text("loading")
    expect(dashboard.find(".alert")).to_contain_text("The text is empty")
    dashboard.type_text(MINE)
    expect(dashboard.find(".list")).to_contain_text("music")
    expect(dashboard.find(".alert")).to_be_hidden()


def test_a_text_too_long_for_the_model_keeps_the_last_picture(dashboard: Any) -> None:
    dashboard.open()
    tokens = dashboard.tokens()
    dashboard.type_text("word " * 700)
    expect(dashboard.find(".alert")).to_contain_text("more than the limit of 512")
    assert dashboard.tokens() == tokens


def test_hostile_text_is_shown_letter_by_letter(dashboard: Any, library: Any) -> None:
    dashboard.open()
    dashboard.type_text(HOSTILE)
    expect(
        dashboard.find(
            ".chip",
        )
    ).to_have_count(len(library.encode(HOSTILE).tokens))
    dashboard.await_badge("exact")
    assert dashboard.tokens() == list(library.encode(HOSTILE).tokens)
    dashboard.find(".chip").nth(2).hover()
    expect(dashboard.find(".tip")).to_be_visible()
    dashboard.find("canvas.heatmap").hover()
    assert dashboard.page.get_by_label("Text", exact=True).input_value() == HOSTILE
    for figure in ("chips", "heatmap"):
        ET.fromstring(dashboard.export(figure, "svg"))  # noqa: S314 - well formed, or it would raise
    rows = dashboard.export("chips", "csv").decode().split("\n")
    read = csv.DictReader(row for row in rows if row and not row.startswith("# "))
    guarded = [f"'{token}" if token[0] in "=+-@" else token for token in dashboard.tokens()]  # no text is a formula
    assert [row["token"] for row in read] == guarded
    dashboard.page.reload()  # and once more from the address
    dashboard.settle()
    dashboard.find(".chip").first.wait_for()
    dashboard.page.get_by_label("Text", exact=True).wait_for()
    assert dashboard.page.locator("img[src='x'], img[src*=evil], .cc b, .cc img").count() == 0
    assert dashboard.dialogs == []
    assert dashboard.hosts == {dashboard.server.removeprefix("http://")}


def test_a_link_restores_the_view(dashboard: Any) -> None:
    dashboard.open().page.get_by_label("Text", exact=True).wait_for()
    dashboard.type_text(MINE)
    expect(dashboard.find(".list")).to_contain_text("music")
    dashboard.move_to(3)
    dashboard.select_head(2, 6)
    dashboard.press_switch("view", "received")
    dashboard.press_switch("tokens", "content")
    dashboard.press_switch("unit", "bits")
    dashboard.find("select.statistic").select_option("entropy")
    dashboard.await_address(
        text=MINE, k="3", layer="2", head="6", view="received", tokens="content", unit="bits", statistic="entropy"
    )
    dashboard.await_badge("exact")
    shown, tokens, address = dashboard.numbers(), dashboard.tokens(), dashboard.address
    dashboard.page.reload()
    dashboard.settle()
    dashboard.page.get_by_label("Text", exact=True).wait_for()
    dashboard.await_badge("exact")
    assert (dashboard.numbers(), dashboard.tokens(), dashboard.address) == (shown, tokens, address)
    assert dashboard.k == 3
    assert dashboard.find(".headname").inner_text() == "Layer 2 · head 6"
    assert dashboard.find("select.statistic").input_value() == "entropy"
    assert dashboard.errors == []


def test_the_old_picture_asks_for_nothing_while_a_new_text_is_on_its_way(dashboard: Any) -> None:
    """What came back would be of the new text, and would be drawn into the picture of the old one."""
    asked: list[Any] = []
    dashboard.open(text=LONG, k="1").page.get_by_label("Text", exact=True).wait_for()
    n = dashboard.n
    dashboard.page.route("**/compecon/sweep", lambda route: asked.append(route.request.post_data_json))  # and holds it
    dashboard.type_text(MINE)
    dashboard.await_badge("busy")
    dashboard.bar.fill("50")
    assert dashboard.k not in budget_grid(n)
    dashboard.page.evaluate("new Promise((rested) => setTimeout(rested, 600))")  # the page's own pause is 140 ms
    assert [body.get("budgets") for body in asked] == [None]
    dashboard.page.unroute("**/compecon/sweep")  # lets it go
    expect(dashboard.find(".list")).to_contain_text("music")
    assert dashboard.errors == []


def test_an_example_from_the_menu_is_a_recording(dashboard: Any) -> None:
    dashboard.open()
    dashboard.page.get_by_role("button", name="Example").click()
    dashboard.page.get_by_role("menuitem", name="Praise that turns").click()
    expect(dashboard.find(".list")).to_contain_text("hopelessly")
    dashboard.await_badge("recorded")


def test_another_policy_is_computed_and_named(dashboard: Any) -> None:
    dashboard.open(policy="first", k="2")
    dashboard.await_badge("exact")
    read = [row.split(",") for row in dashboard.export("heatmap", "csv").decode().split("\n") if row[:1].isdigit()]
    assert all((float(cells[-1]) > 0) == (int(cells[1]) < 2) for cells in read)


def test_unknown_tokens_are_counted_beside_the_answer(dashboard: Any, library: Any) -> None:
    text = "A film of 影 and 😀, and it is wonderful."
    n_unknown = sum(library.encode(text).unknown)
    dashboard.open()
    dashboard.type_text(text)
    expect(dashboard.find(".verdict")).to_contain_text(f"does not know {n_unknown} of")
    dashboard.type_text(MINE)
    expect(dashboard.find(".list")).to_contain_text("music")
    expect(dashboard.find(".verdict")).not_to_contain_text("does not know")


@pytest.mark.parametrize("text", ["هذا الفيلم رائع حقا", "这部电影真的很好看", "😀 😀 😀"])
def test_a_text_that_the_model_does_not_know_gets_no_answer(dashboard: Any, text: str) -> None:
    dashboard.open()
    dashboard.type_text(text)
    expect(dashboard.find(".alert")).to_contain_text("does not know")


@pytest.mark.parametrize("bad", ["😀 😀 😀", " ", "word " * 600])
def test_after_an_error_the_picture_is_dim_and_named_by_its_own_text(dashboard: Any, bad: str) -> None:
    dashboard.open()
    dashboard.type_text(MINE)
    dashboard.await_badge("exact")
    tokens = dashboard.tokens()
    dashboard.type_text(bad)
    older = dashboard.find(".older")
    expect(older).to_contain_text("the music is loud")
    assert dashboard.tokens() == tokens
    dashboard.find(".alert .dismiss").click()
    for part in (".panels", ".output", ".chips", ".bar"):
        assert float(dashboard.find(part).first.evaluate("e => getComputedStyle(e).opacity")) < 0.6
    expect(dashboard.find(".badge")).to_have_attribute("data-kind", "busy")
    dashboard.type_text("The story is not loud.")
    expect(older).to_be_hidden()
    dashboard.await_badge("exact")
    assert dashboard.find(".panels").evaluate("e => getComputedStyle(e).opacity") == "1"


def test_going_back_to_the_text_that_is_shown_takes_the_dimness_away(dashboard: Any) -> None:
    dashboard.open()
    dashboard.type_text(MINE)
    dashboard.await_badge("exact")
    dashboard.type_text(" ")
    expect(dashboard.find(".older")).to_be_visible()
    dashboard.type_text(MINE)
    expect(dashboard.find(".older")).to_be_hidden()
    dashboard.await_badge("exact")
