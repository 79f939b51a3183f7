"""A text is shown as soon as it is entered: before the server knows of it, and as the server then says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from compecon.views.attention.example_texts import examples_for

MINE = "The music is loud. The story is not."
OTHER = "A short film about a long way home."
RECORDED = examples_for("sentiment")[1].text
HOLD = """(() => {  // what the page tells the server stays here until it is released
  const { send } = WebSocket.prototype;
  const held = [];
  let isHolding = false;
  WebSocket.prototype.send = function (data) {
    if (isHolding) held.push(() => send.call(this, data));
    else send.call(this, data);
  };
  window.hold = () => { isHolding = true; };
  window.release = (apartMs = 0) => {
    isHolding = false;
    held.splice(0).forEach((one, place) => setTimeout(one, apartMs * place));
  };
})();"""
WATCH = """(cc) => {  // what of a picture changes from now on
  window.changes = [];
  const watch = new MutationObserver((changes) => {
    for (const { target } of changes) window.changes.push(target.className ?? target.parentElement?.className ?? "?");
  });
  const all = { childList: true, subtree: true, characterData: true, attributes: true };
  for (const part of [".chips", ".badge", ".headname", ".k", ".answers", "table.stats"])
    for (const one of cc.querySelectorAll(part)) watch.observe(one, all);
}"""


@pytest.fixture
def held(dashboard: Any) -> Any:
    """A page whose messages to the server can be held."""
    dashboard.page.add_init_script(HOLD)
    return dashboard


def prepare(dashboard: Any, text: str, sides: int = 1) -> Any:
    """Type a text, and wait until all of it has come that will be wanted; gives back the field."""
    field = dashboard.page.get_by_label("Text", exact=True)
    field.wait_for()
    finished: list[Any] = []
    dashboard.page.on("requestfinished", lambda one: finished.append(one) if one.url.endswith("/sweep") else None)
    field.fill(text)
    while len(finished) < sides:
        dashboard.page.wait_for_event("requestfinished")
    return field


def enter(field: Any) -> None:
    field.press("Control+Enter")


def await_tokens(dashboard: Any, tokens: Any) -> None:
    """The page may still read what has come."""
    expect(dashboard.find(".list .chip")).to_have_text(list(tokens))


@pytest.mark.parametrize("leave", [enter, lambda field: field.blur()], ids=["Ctrl+Enter", "leaving the field"])
def test_it_is_there_before_the_server_knows_and_stays_as_it_is(
    held: Any, library: Any, assert_same: Callable[..., None], leave: Callable[[Any], None]
) -> None:
    held.open(k="4", head="3")
    field = prepare(held, MINE)
    asked, before = held.paths.count("/compecon/sweep"), held.address
    held.page.evaluate("hold()")
    leave(field)
    await_tokens(held, library.encode(MINE).tokens)
    held.await_badge("exact")
    assert (held.k, held.find(".headname").inner_text()) == (4, "Layer 0 · head 3")
    assert held.address == before
    expect(held.find(".python")).to_be_disabled()  # its script would be for the text before
    held.cc.evaluate(WATCH)
    held.page.evaluate("release()")
    held.await_address(text=MINE, k="4", head="3")
    expect(held.find(".python")).to_be_enabled()
    assert held.page.evaluate("changes") == []
    assert held.paths.count("/compecon/sweep") == asked
    assert_same(held.numbers(), library.numbers(MINE, 4, 0, 3))
    assert_same(held.answers(), library.answers(MINE, 4))
    assert field.input_value() == MINE
    assert held.errors == []


def test_a_text_that_nobody_prepared_is_asked_for_at_once_and_once(held: Any, library: Any) -> None:
    held.open(k="4")
    held.page.get_by_label("Text", exact=True).wait_for()
    held.page.evaluate("hold()")
    held.type_text(MINE)
    expect(held.find(".list")).to_contain_text("music")
    assert held.tokens() == list(library.encode(MINE).tokens)
    held.page.evaluate("release()")
    held.await_address(text=MINE)
    expect(held.find(".python")).to_be_enabled()
    assert held.paths.count("/compecon/sweep") == 1


def test_a_recorded_text_is_called_recorded_once_the_server_has_said_so(held: Any) -> None:
    held.open()
    field = prepare(held, RECORDED)
    held.page.evaluate("hold()")
    enter(field)
    held.await_badge("exact")
    tokens = held.tokens()
    held.page.evaluate("release()")
    held.await_badge("recorded")
    held.await_address(text=RECORDED)
    assert held.tokens() == tokens


def test_what_the_server_refuses_is_not_refused_for_another_reason_before(held: Any) -> None:
    held.open()
    tokens = held.tokens()
    field = held.page.get_by_label("Text", exact=True)
    field.wait_for()
    held.page.evaluate("hold()")
    with held.page.expect_response("**/compecon/sweep") as answer:
        held.type_text("word " * 20_001)
    assert answer.value.status == 422
    assert held.find(".alert").is_hidden()
    held.page.evaluate("release()")
    expect(held.find(".alert")).to_contain_text("the limit is 100,000")
    expect(held.find(".badge")).to_have_attribute("data-kind", "recorded")
    assert held.tokens() == tokens
    held.type_text(MINE)
    expect(held.find(".list")).to_contain_text("music")
    expect(held.find(".alert")).to_be_hidden()


@pytest.mark.parametrize("apart_ms", [0, 150])
def test_a_second_text_in_the_middle_is_not_undone_by_the_first(held: Any, library: Any, apart_ms: int) -> None:
    held.open(k="3", head="5")
    held.page.evaluate("hold()")
    enter(prepare(held, MINE))
    enter(prepare(held, OTHER))
    await_tokens(held, library.encode(OTHER).tokens)
    held.await_badge("exact")
    held.cc.evaluate(WATCH)
    held.page.evaluate("release", apart_ms)
    held.await_address(text=OTHER, k="3", head="5")
    expect(held.find(".python")).to_be_enabled()
    assert held.page.evaluate("changes") == []
    assert held.tokens() == list(library.encode(OTHER).tokens)
    assert held.page.get_by_label("Text", exact=True).input_value() == OTHER


def test_the_text_before_comes_back_as_it_was(held: Any) -> None:
    held.open(k="3").await_badge("recorded")
    shown, picture = held.tokens(), held.picture("heatmap")
    held.page.evaluate("hold()")
    field = prepare(held, MINE)
    enter(field)
    field.fill(examples_for("sentiment")[0].text)
    enter(field)
    await_tokens(held, shown)
    held.await_badge("recorded")
    assert held.picture("heatmap") == picture
    held.page.evaluate("release()")
    expect(held.find(".python")).to_be_enabled()
    assert (held.tokens(), held.picture("heatmap")) == (shown, picture)


def test_what_is_typed_on_waits_until_it_is_entered(held: Any, library: Any) -> None:
    held.open()
    held.page.evaluate("hold()")
    field = prepare(held, MINE)
    enter(field)
    with held.page.expect_request("**/compecon/sweep"):
        field.fill(OTHER)
    held.page.evaluate("release()")
    held.await_address(text=MINE)
    assert held.tokens() == list(library.encode(MINE).tokens)
    enter(field)
    held.await_address(text=OTHER)
    assert held.tokens() == list(library.encode(OTHER).tokens)
    assert held.errors == []


def test_another_checkpoint_in_the_middle_is_what_the_page_ends_with(held: Any) -> None:
    held.open()
    field = prepare(held, MINE)
    held.page.evaluate("hold()")
    enter(field)
    held.page.get_by_label("Checkpoint").click()
    held.page.get_by_role("option").nth(1).click()
    held.page.evaluate("release()")
    held.page.wait_for_url("**checkpoint=**")
    expect(field).not_to_have_value(MINE)  # another checkpoint comes with an example of its own
    expect(held.find(".list")).to_contain_text(field.input_value().split()[0].strip(",."), ignore_case=True)
    held.await_badge("recorded", "exact")
    assert held.errors == []


def test_both_sides_of_a_comparison_are_there_before_the_server_knows(held: Any, library: Any) -> None:
    held.page.goto(f"{held.server}/compare?{urlencode({'k': '4', 'layer': '1', 'head': '2'})}")
    held.page.locator("#root .cc[data-both=true]").wait_for()
    held.page.locator("#compecon-first-picture").wait_for(state="detached")
    field = prepare(held, MINE, sides=2)
    held.page.evaluate("hold()")
    enter(field)
    tokens = list(library.encode(MINE).tokens)
    for side in "abd":
        expect(held.find(f".chips[data-side={side}] .chip")).to_have_text(tokens)
    for badge in held.find(".badge").all():
        expect(badge).to_have_attribute("data-kind", "exact")
    assert held.find(".map[data-side=a] h3").inner_text() == "A · Layer 1 · head 2"
    held.cc.evaluate(WATCH)
    held.page.evaluate("release()")
    held.await_address(text=MINE, k="4", layer="1", head="2")
    held.page.locator("[data-test-script-state=notRunning]").wait_for()
    assert held.page.evaluate("changes") == []
    assert held.paths.count("/compecon/sweep") == 2


THREE = [("says", "three", 2)]
FEED = """async ([steps]) => {
  const { Feed } = await import(new URL("/compecon/shared/feed.js", location.origin).href);
  const shell = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
  const { token } = JSON.parse(shell.querySelector("[data-request]").dataset.request);
  const said = [];
  const nothing = () => {};
  const host = { token, look: () => ({ k: 2, layer: 0, head: 0 }), draw: nothing, drawSoon: nothing, badge: nothing };
  const feed = new Feed({
    ...host,
    opened: ({ store }) => said.push(store.open.tokens.slice(1, -1).join(" ")),
    fail: (_, sentence) => said.push(sentence),
  });
  const live = (text) => {
    const body = { checkpoint: "sentiment", device: "auto", text, pair: "", policy: "top-k" };
    return { url: "/compecon/sweep", body };
  };
  for (const [what, text, nEntered] of steps) {
    const source = live(text);
    if (what === "enters") feed.early.show(source, nEntered);
    else feed.early.follow({ id: `id of ${text}`, title: text, source, live: source }, nEntered);
    while (feed.lanes.main) await new Promise((done) => setTimeout(done, 5));
  }
  return { said, shown: feed.shownId, asked: feed.spec.id, isOn: feed.early.isOn };
}"""


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        pytest.param([("enters", "two", 0), ("says", "two", 1)], ["one", "two"], id="agreed"),
        pytest.param(
            [("enters", "two", 0), ("says", "one", 0), ("says", "two", 1)], ["one", "two"], id="not heard of it yet"
        ),
        pytest.param([("enters", "two", 0), ("says", "one", 1)], ["one", "two", "one"], id="refused"),
        pytest.param([("enters", "two", 0), ("says", "three", 1)], ["one", "two", "three"], id="another one"),
        pytest.param(
            [("enters", "two", 0), ("enters", "three", 0), ("says", "two", 1), ("says", "two", 1), *THREE],
            ["one", "two", "three"],
            id="two entered",
        ),
        pytest.param(
            [("enters", "two", 0), ("enters", "three", 0), ("says", "two", 1), ("says", "two", 2)],
            ["one", "two", "three", "two"],
            id="the second refused",
        ),
        pytest.param(
            [("enters", "two", 0), ("enters", "one", 0), ("says", "two", 1), ("says", "one", 2)],
            ["one", "two", "one"],
            id="the first again",
        ),
    ],
)  # fmt: skip
def test_what_the_server_says_of_a_text_that_is_shown(
    dashboard: Any, steps: list[tuple[str, str, int]], said: list[str]
) -> None:
    dashboard.page.goto(f"{dashboard.server}/help")
    found = dashboard.page.evaluate(FEED, [[("says", "one", 0), *steps]])
    last = f"id of {said[-1]}"
    assert found == {"said": said, "shown": last, "asked": last, "isOn": False}
