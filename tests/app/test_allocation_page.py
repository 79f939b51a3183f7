"""The Allocation page as a script: what the canvas gets, what the address keeps, what is refused."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.allocation.file_panel import SAMPLES
from app.canvas_data.allocation_data import first_data
from app.canvas_data.shared_markets import FILE, market_of, playback_of, points_of, streams
from app.state.allocation_choice import AllocationChoice, AllocationView
from compecon.allocation.rules import RULES
from compecon.allocation.streams.bundled_streams import streams_root
from compecon.allocation.streams.columns import LOG_COLUMNS
from compecon.allocation.streams.stream import Stream
from compecon.runs.home import Home
from compecon.studies.build_streams import write_stream
from compecon.views.allocation.rule_view import rules_for
from tests.support import pages
from tests.support.pages import address_of, canvas_of

open_page = partial(pages.open_page, "allocation")


def captions(page: AppTest) -> str:
    return " ".join(re.sub(r"\\(.)", r"\1", caption.value) for caption in page.caption)


def test_it_opens_on_a_measured_stream_under_the_shadow_price() -> None:
    page = open_page()
    data = canvas_of(page)
    points = points_of(market_of("sentiment-sizes", "chance", 0.0), AllocationChoice().rule)
    assert data["table"]["points"]["budget"] == [point.budget for point in points]
    assert data["table"]["prices"] == [point.price for point in points]
    assert data["view"] == {"budget": 20, "query": 0, "order": "arrival"}
    assert "Measured by us" in captions(page)
    assert "oracle" in captions(page)
    assert address_of(page) == {}


def a_stream(name: str, correct: list[list[float]]) -> Stream:
    levels = np.tile([1e6, 2e6], (len(correct), 1))
    return Stream(name, tuple(f"q{place}" for place in range(len(correct))), levels, np.array(correct), None, "MACs")


def test_a_stream_that_was_measured_here_opens_like_the_others() -> None:
    folder = Home.default().streams
    about = "mine at <b>0.3</b>, 1"
    write_stream(a_stream("mine", [[0, 1], [1, 1]]), folder, title="Mine", description=about, levels=("0.3", "1"))
    page = open_page(stream="own:mine")
    data = canvas_of(page)
    assert data["table"]["unit"] == "million MACs"
    assert "Measured with compecon stream: mine at <b>0.3</b>" in captions(page).replace("\\", "")
    assert address_of(page) == {"stream": "own:mine"}
    assert first_data({"stream": "own:mine"})["id"] == data["id"]
    last = max(points_of(market_of("own:mine", "chance", 0.0), "shadow-price"), key=lambda point: point.budget)
    rows = open_page(stream="own:mine", budget=str(last.place)).dataframe[0].value
    assert dict(zip(rows["Query"], rows["Size"], strict=True)) == {"q0": "1", "q1": "0.3"}, "what each needs"
    assert "Size" not in open_page(stream="sentiment-keys").dataframe[0].value
    assert list(streams())[-1] == FILE
    write_stream(a_stream("mine", [[0, 1], [0, 0], [1, 1]]), folder, title="Mine", description="more")
    assert len(market_of("own:mine", "chance", 0.0).queries) == 3, "measured again"


def test_a_damaged_stream_of_ones_own_is_a_sentence_on_its_page_and_no_early_picture() -> None:
    folder = Home.default().streams
    file = write_stream(a_stream("mine", [[0, 1]]), folder, title="Mine", description="x")
    file.write_bytes(b"no stream")
    page = open_page(stream="own:mine")
    assert len(page.error) == 1
    assert first_data({"stream": "own:mine"}) is None
    (folder / "index.json").write_text("[")
    assert "own:mine" not in streams()
    page = open_page()
    assert canvas_of(page)["view"]
    assert len(page.warning) == 1, "why it is not in the list"


def test_an_address_restores_the_page() -> None:
    page = open_page(stream="sentiment-keys", rule="uniform", budget="33", query="7", order="price")
    data = canvas_of(page)
    assert data["view"] == {"budget": 33, "query": 7, "order": "price"}
    assert data["table"]["unit"] == "keys"
    assert set(data["table"]["prices"]) == {None}
    expected = {"stream": "sentiment-keys", "rule": "uniform", "budget": "33", "query": "7", "order": "price"}
    assert address_of(page) == expected


@pytest.mark.parametrize(
    "params",
    [
        {"stream": "../../etc"},
        {"rule": "<b>"},
        {"budget": "-1", "query": "x", "order": "up"},
        {"noise": "nan", "money": "inf"},
        {"noise": "7", "money": "-1", "belief": "mine", "part": "all"},
    ],
)
def test_what_no_link_of_ours_says_is_the_default(params: dict[str, str]) -> None:
    page = open_page(**params)
    assert canvas_of(page)["view"] == canvas_of(open_page())["view"]
    assert address_of(page) == {}


def test_a_budget_beyond_the_bar_is_its_end() -> None:
    data = canvas_of(open_page(budget="9999", query="9999"))
    assert data["view"] == {"budget": 80, "query": 399, "order": "arrival"}


def test_a_mixture_says_that_it_is_synthetic_and_offers_only_rules_that_fit() -> None:
    page = open_page(stream="MostlyEasy", belief="surge")
    assert captions(page).startswith("Synthetic: 500 ")
    rules = next(box for box in page.selectbox if box.label == "Rule")
    assert rules.options == [RULES[name].label for name in rules_for(market_of("MostlyEasy", "surge", 0.0))]
    assert "Exact scan" in rules.options


def test_a_rule_that_does_not_fit_the_next_stream_gives_way() -> None:
    page = open_page(stream="MostlyEasy", belief="surge", rule="exact-scan")
    next(box for box in page.selectbox if box.label == "Stream").select("sentiment-sizes").run()
    canvas_of(page)
    assert next(box for box in page.selectbox if box.label == "Rule").value == AllocationChoice().rule
    assert "rule" not in address_of(page)


def test_money_is_told_for_tokens_alone() -> None:
    assert canvas_of(open_page(stream="MostlyEasy", belief="surge", money="2.5"))["money"] == 2.5
    keys = open_page(stream="sentiment-keys", money="2.5")
    assert canvas_of(keys)["money"] == 0
    assert not keys.number_input


def test_rules_side_by_side_quote_the_paper_as_quoted() -> None:
    page = open_page(part="rules")
    canvas_of(page)
    assert len(page.get("plotly_chart")) == 2
    assert "Quoted, not reproduced" in captions(page)
    assert "draft figure" in captions(page)


@pytest.mark.slow
def test_the_ratio_of_a_mixture_stands_beside_what_is_quoted() -> None:
    page = open_page(stream="MostlyEasy", part="rules")
    canvas_of(page)
    told = captions(page)
    assert "Lines: synthetic" in told
    assert "Crosses: Quoted" in told
    assert "a factor of" in told
    assert "quoted: the paper" in page.get("plotly_chart")[1].proto.spec


def test_what_one_market_gains_is_told_with_what_is_hindsight() -> None:
    page = open_page(part="gains")
    canvas_of(page)
    assert len(page.get("plotly_chart")) == 1
    assert "oracle" in captions(page)
    assert sum("known outcomes" in text.value for text in page.markdown) == 4
    assert address_of(page) == {"part": "gains"}


def test_minimum_service_is_kept_in_the_address_and_sure_to_everybody() -> None:
    page = open_page(stream="sentiment-keys", service="0.5", budget="50")
    played = canvas_of(page)["playback"]
    budget = canvas_of(page)["table"]["points"]["budget"][50]
    assert played["service"] == pytest.approx(0.5 * budget / 400)
    assert min(played["caps"]) >= played["service"] - 1e-4
    assert played["known"][-1] <= played["bound"]
    assert address_of(page)["service"] == "0.5"


def test_what_drawn_answers_leave_of_their_caps_goes_back_into_the_budget() -> None:
    market = market_of("Balanced", "chance", 0.0)
    played = playback_of(market, 20)
    assert played is not None
    lengths = market.used(np.full(500, np.inf))
    used = np.minimum(played["caps"], lengths).sum()
    assert played["used"] == pytest.approx(used, rel=1e-6)
    assert played["recycled"] == pytest.approx(sum(played["caps"]) - used, rel=1e-5)
    assert played["used"] <= market.budgets[20] * (1 + 1e-12)  # sums of floats in another order
    assert sum(played["caps"]) > market.budgets[20]
    assert playback_of(market, 0) is None


def test_a_file_is_asked_for_shared_out_or_refused() -> None:
    page = open_page(stream="file")
    assert not page.exception
    assert "Upload a log" in page.info[0].value
    assert page.dataframe[0].value["Column"].tolist() == [column.name for column in LOG_COLUMNS]
    rows = b"query,budget,correct\n<img src=x>,10,0\n<img src=x>,20,1\nb,10,1\n"
    page.file_uploader[0].set_value(("mine.csv", rows, "text/csv")).run()
    assert canvas_of(page)["table"]["queries"] == ["<img src=x>", "b"]
    page.file_uploader[0].set_value(("mine.csv", b"query,budget\na,1\n", "text/csv")).run()
    assert not page.exception
    assert "correct" in page.error[0].value
    assert "mine.csv" in page.error[0].value.replace("\\", "")


def test_a_log_with_prices_is_shared_in_money_and_says_where_each_query_goes() -> None:
    page = open_page(stream="file")
    log, table = ((streams_root() / name).read_bytes() for name in SAMPLES)
    page.file_uploader[0].set_value(("my log.csv", log, "text/csv")).run()
    assert canvas_of(page)["table"]["unit"] == "tokens"
    page.file_uploader[1].set_value(("prices.csv", table, "text/csv")).run()
    assert canvas_of(page)["table"]["unit"] == "money"
    assert set(page.dataframe[0].value["Send to"]) <= {"", "cheap", "strong"}
    assert "prices.csv" in captions(page)
    page.file_uploader[1].set_value(("prices.csv", b"model,input,output\ncheap,1,1\n", "text/csv")).run()
    assert not page.exception
    assert "'strong'" in page.error[0].value


def test_every_stream_of_the_menu_says_what_it_is() -> None:
    assert all(title.startswith(("Measured · ", "Synthetic · ", "Your file")) for title in streams().values())


def test_a_canvas_can_tell_nonsense() -> None:
    told = {"budget": {"a": 1}, "query": "1e9", "order": 3}
    assert AllocationView.from_mapping(told) == AllocationView()
