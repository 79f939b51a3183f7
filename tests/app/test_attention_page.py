"""The page as a script: what it hands to the canvas, what it writes into the address, what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from app.parts.widgets import escaped
from app.server import resources
from app.server.guard import page_token
from app.server.routes import SweepBody
from app.state.attention_choice import CanvasView
from compecon.paths import assets
from compecon.views.attention.example_texts import examples_for
from compecon.views.attention.traces import TraceKey
from tests.support.pages import text_of

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "![](http://evil.example/x.png)",
    "$x$ and $$\\frac{1}{2}$$",
    ":smile: :material/home: :red[x]",
    "[click](javascript:alert(1))",
    "</script><script>alert(1)</script>",
]
FIRST = examples_for("sentiment")[0]
Open = Callable[..., AppTest]
Data = Callable[[AppTest], dict[str, Any]]


def tell(page: AppTest, view: dict[str, Any]) -> AppTest:
    """Let the canvas report where it looks, as the browser does: as JSON in the widget's state."""
    [canvas] = page.get("bidi_component")
    usual = page._tree.get_widget_states

    def with_canvas() -> WidgetStates:
        states = usual()
        state = states.widgets.add()
        state.id, state.json_value = canvas.proto.id, json.dumps({"view": view})
        return states

    page._tree.get_widget_states = with_canvas  # type: ignore[method-assign]
    return page.run()


def address_of(page: AppTest) -> dict[str, str]:
    """The address bar; the tester holds what it was given as text and what the page wrote as lists."""
    return {name: v if isinstance(v, str) else v[-1] for name, v in page.query_params.items()}


# ---- what the canvas gets


def test_the_page_opens_on_a_recording(open_page: Open, canvas_data: Data) -> None:
    data = canvas_data(open_page())
    name = TraceKey("sentiment", FIRST.text, FIRST.pair).name
    assert data["source"] == {"url": f"/compecon/trace/{name}", "body": None}
    assert data["token"] == page_token()
    assert data["error"] is None


def test_a_text_of_ones_own_is_asked_of_the_engine(open_page: Open, canvas_data: Data) -> None:
    page = open_page()
    before = canvas_data(page)["id"]
    data = canvas_data(page.text_area(key="text").set_value("A text of my own.").run())
    assert data["source"] == data["live"]
    assert data["source"]["url"] == "/compecon/sweep"
    assert data["source"]["body"]["text"] == "A text of my own."
    assert data["id"] != before


@pytest.mark.parametrize("params", [{}, {"text": "Mine.", "pair": "Yours.", "policy": "random", "device": "cpu"}])
def test_what_the_page_asks_for_is_what_the_route_accepts(
    open_page: Open, canvas_data: Data, params: dict[str, str]
) -> None:
    body = canvas_data(open_page(**params))["live"]["body"]
    asked = SweepBody.model_validate_json(json.dumps({**body, "client": "abc", "layer": 1, "budgets": [3]}))
    assert asked.model_dump(include=set(body)) == body


def test_another_policy_or_device_is_never_answered_by_a_recording(open_page: Open, canvas_data: Data) -> None:
    for params in ({"policy": "random"}, {"device": "cpu"}):
        assert canvas_data(open_page(**params))["source"]["url"] == "/compecon/sweep"


def test_the_script_to_copy_is_about_this_request(open_page: Open, canvas_data: Data) -> None:
    code = canvas_data(open_page(text='It\'s "mine".', policy="first"))["python"]
    compile(code.replace("__K__", "1").replace("__LAYER__", "0").replace("__HEAD__", "0"), "copied.py", "exec")
    assert "FirstK()" in code
    assert repr('It\'s "mine".') in code


# ---- what cannot be computed


@pytest.mark.parametrize(("text", "says"), [("", "empty"), ("  \n ", "empty"), ("a" * 100_001, "100,001 characters")])
def test_a_text_that_cannot_be_read_leaves_the_last_good_picture(
    open_page: Open, canvas_data: Data, text: str, says: str
) -> None:
    page = open_page()
    good = canvas_data(page.text_area(key="text").set_value("A good text.").run())
    data = canvas_data(page.text_area(key="text").set_value(text).run())
    assert says in data["error"]
    assert {name: data[name] for name in ("id", "source", "live", "python")} == {
        name: good[name] for name in ("id", "source", "live", "python")
    }


def test_a_good_text_takes_the_error_away(open_page: Open, canvas_data: Data) -> None:
    page = open_page(text=" ")
    assert canvas_data(page)["error"]
    data = canvas_data(page.text_area(key="text").set_value("A good text.").run())
    assert data["error"] is None
    assert data["source"]["body"]["text"] == "A good text."


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    return folder


@pytest.fixture
def unsupported(tmp_path: Path) -> Path:
    """A small model that loads in transformers, but whose attention can't be reached."""
    from transformers import AutoTokenizer, MPNetConfig, MPNetForSequenceClassification  # noqa: PLC0415 - seconds

    config = MPNetConfig(
        vocab_size=8000, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=66,
    )  # fmt: skip
    MPNetForSequenceClassification(config).save_pretrained(tmp_path / "mpnet")
    AutoTokenizer.from_pretrained(assets() / "checkpoints" / "sentiment").save_pretrained(tmp_path / "mpnet")
    return tmp_path / "mpnet"


@pytest.mark.parametrize("what", ["broken", "unsupported"])
def test_a_checkpoint_that_cannot_be_opened_says_why_and_leaves_the_last_good_picture(
    open_page: Open,
    canvas_data: Data,
    add_folder: Callable[[Path], str],
    request: pytest.FixtureRequest,
    what: str,
) -> None:
    name = add_folder(request.getfixturevalue(what))
    page = open_page()
    good = canvas_data(page)
    menu = page.selectbox(key="checkpoint")
    assert any("cannot be opened" in label for label in menu.options)
    data = canvas_data(menu.set_value(name).run())
    assert data["error"] == resources.checkpoints()[name].problem
    assert len(data["error"]) > 20
    assert (data["id"], data["source"]) == (good["id"], good["source"])
    if what == "unsupported":
        assert "MPNet" in data["error"]


def test_a_folder_that_vanishes_while_the_page_is_open_gives_way_to_the_default(
    open_page: Open, canvas_data: Data, add_folder: Callable[[Path], str], broken: Path, tmp_path: Path
) -> None:
    page = open_page(checkpoint=add_folder(broken))
    add_folder(tmp_path / "another")
    shown = page.run().selectbox[0].value
    assert canvas_data(page)["error"] is not None or shown == "sentiment"
    assert page.selectbox[0].value == "sentiment"


def test_without_any_checkpoint_the_page_says_what_to_do(
    open_page: Open, canvas_data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.server.resources.list_checkpoints", lambda _folders: ())
    resources._checkpoints.cache_clear()
    assert "no checkpoint to open" in canvas_data(open_page())["error"]


# ---- hostile text


def shown_as_markup(page: AppTest) -> str:
    """Everything that Streamlit would read as markdown or HTML, from every element of the page."""
    bodies = [str(getattr(e.proto, "body", "")) for kind in ("markdown", "html") for e in page.get(kind)]
    labels = [str(getattr(e, "label", "")) for kind in ("selectbox", "text_area", "expander") for e in page.get(kind)]
    return "\n".join(bodies + labels)


def test_hostile_text_is_never_markup(open_page: Open, canvas_data: Data) -> None:
    text = " ".join(HOSTILE)
    page = open_page(text=text, pair=text)
    data = canvas_data(page)
    assert data["live"]["body"]["text"] == text  # as it is: the canvas shows it letter by letter
    assert not [one for one in HOSTILE if one in shown_as_markup(page)]
    assert page.text_area(key="text").value == text


def test_a_hostile_folder_name_is_never_markup(
    open_page: Open, canvas_data: Data, add_folder: Callable[[Path], str], broken: Path
) -> None:
    name = "<img src=x onerror=alert(1)> ![x](x.png) $x$ :smile: _*`a`*_"
    folder = broken.rename(broken.parent / name)
    page = open_page(checkpoint=add_folder(folder))
    canvas_data(page)
    assert name not in shown_as_markup(page)


def test_only_our_own_style_sheet_is_html(open_page: Open) -> None:
    [sheet] = open_page(text=HOSTILE[0]).get("html")
    assert (assets() / "frame.css").read_text() in sheet.proto.body


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_keeps_its_letters(text: str) -> None:
    from app.parts.widgets import escaped  # noqa: PLC0415 - draws nothing, but imports Streamlit

    assert re.sub(r"\\([^\w\s])", r"\1", escaped(text)) == text
    assert not re.search(r"(?<!\\)[<>\[\]$:*_`]", escaped(text))


# ---- the address


BAD_ADDRESSES = [
    {"checkpoint": "../../etc", "device": "cuda; rm -rf /", "policy": "<script>", "k": "-1", "layer": "0x10"},
    {"checkpoint": "/etc", "policy": "__class__", "head": "nan", "view": "both", "tokens": "['all']", "k": "1e3"},
    {"size": "0"},
    {"size": "nan", "k": "0"},
    {"size": "1.0"},
    {"checkpoint": "", "unit": "hartleys", "statistic": "__init__", "tiles": "NUMBERS", "k": "٣", "unknown": "x"},
]


@pytest.mark.parametrize("params", BAD_ADDRESSES)
def test_values_that_are_not_on_the_menu_fall_back_to_the_default(
    open_page: Open, canvas_data: Data, params: dict[str, str]
) -> None:
    page = open_page(**params)
    data = canvas_data(page)
    assert data["live"]["body"] == {
        "checkpoint": "sentiment", "device": "auto", "text": FIRST.text, "pair": "", "policy": "top-k",
    }  # fmt: skip
    assert data["view"] == asdict(CanvasView())
    assert address_of(page) == {}  # it is cleaned, too


@pytest.mark.parametrize(
    ("name", "value"),
    [("k", -1), ("k", 1.5), ("k", True), ("k", None), ("k", "99999"), ("k", "²"), ("layer", [1]), ("head", " 1"),
     ("view", "Row"), ("view", ["row"]), ("tokens", {}), ("unit", 0), ("statistic", "gini; x"), ("tiles", None),
     *(("size", value) for value in (0, -0.1, 1.01, "nan", "inf", None, [0.5], "0.5 x", ""))],
)  # fmt: skip
def test_a_view_takes_only_what_passes_its_check(name: str, value: Any) -> None:
    assert CanvasView.from_mapping({name: value, "layer" if name != "layer" else "head": "2"}) == CanvasView(
        **{"layer" if name != "layer" else "head": 2}
    )


def test_what_the_widgets_hold_is_in_the_address_and_comes_back(open_page: Open, canvas_data: Data) -> None:
    page = open_page()
    page.text_area(key="text").set_value("Ümläute & spaces?")
    page.text_area(key="pair").set_value("A second text.")
    page.selectbox(key="policy").set_value("sink-recent")
    page.selectbox(key="device").set_value("cpu").run()
    params = address_of(page)
    assert params == {
        "text": "Ümläute & spaces?", "pair": "A second text.", "policy": "sink-recent", "device": "cpu",
    }  # fmt: skip
    assert canvas_data(page)["n_entered"] == 2
    assert {**canvas_data(open_page(**params)), "n_entered": 2} == canvas_data(page)


def test_where_the_canvas_looks_is_in_the_address_and_comes_back(open_page: Open, canvas_data: Data) -> None:
    view = {
        "k": 7, "layer": 1, "head": 2, "view": "received", "tokens": "content", "unit": "bits",
        "statistic": "entropy", "tiles": "pictures", "size": 0.0707,
    }  # fmt: skip
    page = tell(open_page(), view)
    params = address_of(page)
    assert params == {name: str(value) for name, value in view.items()}
    assert canvas_data(open_page(**params))["view"] == view


def test_what_the_canvas_tells_is_checked_like_the_address(open_page: Open, canvas_data: Data) -> None:
    page = open_page()
    told = {"k": "7; x", "layer": None, "head": [1], "statistic": "x", "view": ["row"], "tokens": 3, "extra": 1}
    assert canvas_data(tell(page, told))["view"] == asdict(CanvasView())
    assert address_of(page) == {}


def test_a_long_text_is_not_put_into_the_address(open_page: Open) -> None:
    page = open_page()
    page.text_area(key="text").set_value("long " * 400).run()
    assert "text" not in page.query_params


def test_moving_the_canvas_does_not_ask_for_another_picture(open_page: Open, canvas_data: Data) -> None:
    page = open_page()
    before = canvas_data(page)
    after = canvas_data(tell(page, {"k": 3, "layer": 2}))
    assert {**after, "view": None} == {**before, "view": None}


# ---- widgets


def test_the_examples_menu_fills_in_the_text(open_page: Open, canvas_data: Data) -> None:
    page, other = open_page(), examples_for("sentiment")[1]
    page.menu_button(key="example").click(other.title).run()
    assert text_of(page) == (other.text, other.pair)
    assert TraceKey("sentiment", other.text).name in canvas_data(page)["source"]["url"]


def test_the_examples_menu_says_when_the_text_is_ones_own(open_page: Open) -> None:
    page = open_page()
    assert page.menu_button(key="example").label == escaped(f"Example: {FIRST.title}")
    page.text_area(key="text").set_value("Mine.").run()
    label = page.menu_button(key="example").label
    assert not any(escaped(each.title) in label for each in examples_for("sentiment"))


def test_another_checkpoint_brings_its_first_example(
    open_page: Open, add_folder: Callable[[Path], str], broken: Path
) -> None:
    name = add_folder(broken)
    page = open_page(text="Mine.")
    page.selectbox(key="checkpoint").set_value(name).run()
    first = examples_for(name)[0]
    assert text_of(page) == (first.text, first.pair)


def test_the_report_is_of_the_chosen_checkpoint(open_page: Open) -> None:
    assert "BertForSequenceClassification" in open_page().text[0].value


def test_models_can_be_unloaded(open_page: Open) -> None:
    page = open_page()
    page.button[0].click().run()
    assert not page.exception
    assert "models unloaded" in page.toast[0].value
