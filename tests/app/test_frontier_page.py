"""The Frontier page as a script: what the plot gets, what is advised, what the address keeps, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.server.frontier_data import first_data
from app.server.plain_files import plain_files
from app.server.plotly_script import plotly_address
from app.server.shared_frontier import Frontier, frontier
from app.state.frontier_choice import FrontierPlace
from compecon.benchmarks.runs_made import make_runs
from compecon.files.durable import Json, write_json
from compecon.runs.folder import SPEC, STATUS
from compecon.runs.home import Home
from compecon.runs.run_record import RunSpec, RunState, Status
from compecon.runs.store import RunStore
from compecon.views.frontier.advice import advise
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.frontier_points import FrontierPoint, Reading
from compecon.views.frontier.limits import Wish
from tests.support import pages
from tests.support.elastic import elastic_folder
from tests.support.pages import address_of, canvas_of

ROOT = Path(__file__).resolve().parents[2]


open_page = partial(pages.open_page, "frontier")


def plain(text: str) -> str:
    return text.replace("\\", "")


def keys_in(data: dict[str, Any]) -> set[str]:
    return {key for trace in json.loads(data["figure"])["data"] for (key,) in trace.get("customdata", [])}


def test_it_opens_on_a_finished_picture_with_bundled_and_recorded_and_quoted_points() -> None:
    page = open_page()
    data = canvas_of(page)
    assert {"bundled", "quoted"} < {key.partition("/")[0] for key in keys_in(data)}
    assert len(keys_in(data)) > 40  # the committed experiments' runs
    assert address_of(page) == {}
    assert len(page.dataframe[0].value) == len(keys_in(data))


def test_it_says_which_one_to_take_and_the_plot_marks_it() -> None:
    page = open_page(task="sst2", ceiling="40")
    view = frontier().view(FrontierAxes("sst2", "share", "change"))
    advice = advise(view, Wish(most_share=0.4))
    first, *others = advice.sentences
    assert canvas_of(page)["answer"] == {
        "question": "Which should I choose for at most 40% of the dense model's cost?",
        "fits": True,
        "first": first,
        "more": " ".join(others),
    }
    assert canvas_of(page)["advised"] == {"key": advice.key, "role": "recommended"}
    assert canvas_of(page)["limit"] == {"axis": "x", "value": advice.most_x, "text": "40% of the dense cost"}


def test_a_floor_is_asked_for_in_place_of_a_ceiling() -> None:
    page = open_page(task="sst2", y="quality", ask="floor", floor="0.85")
    view = frontier().view(FrontierAxes("sst2", "share", "quality"))
    assert canvas_of(page)["answer"]["first"] == advise(view, Wish(least_quality=0.85)).sentences[0]
    assert canvas_of(page)["limit"]["axis"] == "y"
    assert address_of(page)["floor"] == "0.85"


def test_a_floor_that_is_not_named_is_the_one_that_its_field_shows() -> None:
    page = open_page(task="sst2", y="quality", ask="floor")
    [field] = [number for number in page.number_input if number.key == "frontier_floor"]
    assert canvas_of(page)["answer"]["question"].endswith(f"at least {field.value:g}?")
    assert canvas_of(page)["limit"]["value"] == pytest.approx(100 * field.value)


def test_what_cannot_be_had_is_said_with_the_nearest() -> None:
    page = open_page(task="sst2", ceiling="1")
    answer = canvas_of(page)["answer"]
    assert (answer["fits"], "No checkpoint fits" in answer["first"]) == (False, True)


def test_on_every_axis_only_what_keeps_the_limit_is_recommended_and_the_limit_is_of_what_it_says() -> None:
    """Against the numbers of the points themselves: a ring around what does not fit says so."""
    shown, problems, roles = frontier(), [], set()
    for task, costs in shown.costs.items():
        for x in costs:
            for percent in (1, 50, 100):
                data = first_data({"task": task, "x": x, "ceiling": str(percent)})
                assert data is not None
                if not (ring := data["advised"])["key"]:
                    continue
                marks = shown.view(FrontierAxes(task, x, "change")).marks
                done = {mark.point.key: mark.x.value for mark in marks if mark.standing != "quoted"}
                dense = [done[mark.point.key] for mark in marks if mark.point.family == "dense"]
                fits = done[ring["key"]] <= data["limit"]["value"]
                roles.add(ring["role"])
                if fits is not (ring["role"] == "recommended") or fits is not data["answer"]["fits"]:
                    problems.append((task, x, percent, ring))
                if bool(dense) is not ("dense" in data["limit"]["text"] and "dense" in data["answer"]["question"]):
                    problems.append((task, x, percent, data["limit"]["text"]))
    assert not problems
    assert len(roles) == 2


def test_a_floor_of_the_pages_own_is_not_called_the_readers() -> None:
    own = canvas_of(open_page(task="sst2", y="quality", ask="floor"))
    given = canvas_of(open_page(task="sst2", y="quality", ask="floor", floor="0.75"))
    assert ["suggested" in data["limit"]["text"] for data in (own, given)] == [True, False]


def test_an_address_restores_the_page() -> None:
    [_, task, *_] = frontier().tasks  # the first one is left out of the address
    address = {
        "task": task, "x": "parameters", "y": "quality", "log": "True", "part": "families", "ceiling": "70",
        "keys": "4", "hidden": "taylor|taylor, no recovery", "dominated": "False",
        "chosen": "bundled/sentiment-45-taylor",
    }  # fmt: skip
    page = open_page(**address)
    data = canvas_of(page)
    assert data["view"] == {
        "keys": 4,
        "hidden": ["taylor", "taylor, no recovery"],
        "dominated": False,
        "chosen": "bundled/sentiment-45-taylor",
    }
    assert json.loads(data["figure"])["layout"]["xaxis"]["type"] == "log"
    assert address_of(page) == address


@pytest.mark.parametrize(
    "params",
    [
        {"task": "nothing", "y": "sideways", "part": "x" * 500, "ceiling": "0", "keys": "-1", "chosen": "x" * 5000},
        {"x": "money", "log": "perhaps", "ask": "nicely", "ceiling": "1e9", "keys": "1e3", "dominated": "<b>"},
        {"ceiling": "-3", "floor": "nan", "hidden": "|"},
    ],
)  # fmt: skip
def test_nonsense_in_the_address_is_passed_over(params: dict[str, str]) -> None:
    page = open_page(**params)
    assert canvas_of(page)["view"] == {"keys": 0, "hidden": [], "dominated": True, "chosen": ""}
    assert address_of(page) == {}
    assert len(page.warning) == len(params)


def test_a_point_that_is_gone_is_nobody() -> None:
    page = open_page(chosen="run/train-000000000000")
    assert not page.exception
    assert canvas_of(page)["view"]["chosen"] == ""
    assert ["train" in box.value for box in page.warning] == [True]


def test_a_chosen_point_tells_its_facts_and_signs() -> None:
    page = open_page(task="sst2", chosen="bundled/sentiment-45-taylor")
    point = frontier().by_key["bundled/sentiment-45-taylor"]
    assert any(point.name in plain(text.value) for text in page.markdown)
    assert [plain(box.value) for box in page.warning] == list(point.signs)


def test_what_was_selected_in_the_plot_is_what_the_table_lists() -> None:
    page = open_page(task="sst2")
    page.session_state[FrontierPlace.CANVAS] = {
        "picked": ["bundled/sentiment", "bundled/sentiment-45-taylor", "nobody"]
    }
    page.run()
    assert not page.exception
    assert sorted(page.dataframe[0].value["Name"]) == ["sentiment", "sentiment-45-taylor"]
    page.selectbox(key="frontier_task").set_value("stsb").run()
    assert len(page.dataframe[0].value) == len(keys_in(canvas_of(page)))  # none of them is here: all are listed


@pytest.mark.parametrize("part", ["families", "ablation", "prices", "proxies"])
def test_every_part_draws(part: str) -> None:
    page = open_page(task="sst2", part=part)
    assert not page.exception
    assert page.segmented_control[0].value == part


def test_it_opens_with_runs_of_which_none_was_measured(tmp_path: Path) -> None:
    make_runs(RunStore(Home(tmp_path / "home").made()), 5)
    page = open_page()
    assert not page.exception
    assert any("Not shown" in expander.label for expander in page.expander)


def test_two_runs_with_one_name_are_two_points(tmp_path: Path) -> None:
    store = RunStore(Home(tmp_path / "home").made())
    for order in range(1, 3):
        folder = store.folder(f"train-{order:012x}")
        folder.mkdir()
        _write_run(folder, order)
    names = {point.name for point in frontier().points if point.origin == "run"}
    assert len(names) == 2
    assert not open_page(task="sst2").exception


def _write_run(folder: Path, order: int) -> None:
    spec = RunSpec("train", {"task": "sst2", "base": "sentiment"}, title="Same name", order=order, created_at=1.7e9)
    results: dict[str, Json] = {"metric": {"name": "accuracy", "split": "test", "value": 0.8, "n": 1821}, "share": 0.3}
    ended = Status(RunState.SUCCEEDED, "Done.", 1, "recovery", 5, 5, 1.0, 1, "nowhere", "cpu", results, spec.digest)
    write_json(folder / SPEC, asdict(spec), durable=False)
    write_json(folder / STATUS, asdict(ended), durable=False)


def test_a_run_that_goes_on_is_hollow_and_crawls(monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    for share in (0.9, 0.6):
        going = _running(share)
        held.append(Frontier((*frontier().points, going), polls=True))
    for shown, share in zip(held, (0.9, 0.6), strict=True):
        monkeypatch.setattr("app.frontier.frontier_page.frontier", lambda shown=shown: shown)
        data = canvas_of(open_page(task="sst2", y="quality"))
        [trace] = [t for t in json.loads(data["figure"])["data"] if [going.key] in t.get("customdata", [])]
        at = trace["customdata"].index([going.key])
        assert (trace["x"][at], trace["marker"]["symbol"][at]) == (share, "circle-open")


def _running(share: float) -> FrontierPoint:
    return FrontierPoint(
        "run/train-1", "going on", "incentive", "run", "sst2", "accuracy", "test", "running",
        quality=Reading(0.8), costs={"share": Reading(share)},
    )  # fmt: skip


def test_the_place_of_the_plot_is_checked_field_by_field() -> None:
    assert FrontierPlace.from_mapping({"keys": 8, "hidden": [1, "", "a" * 900], "dominated": None, "chosen": 3}) == (
        FrontierPlace(keys=8)
    )


def test_the_page_needs_neither_torch_nor_plotlys_library() -> None:
    script = (
        "import sys; sys.modules['plotly'] = None; import streamlit; del sys.modules['plotly']; "  # as the server does
        "import app.frontier.frontier_page; from app.server.shared_frontier import frontier; "
        "f = frontier(); from compecon.views.frontier.drawn import FrontierAxes; "
        "f.figure(FrontierAxes('sst2', 'share')); "
        "print([name for name in ('torch', 'transformers', 'scipy.stats', 'plotly') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_plotlys_script_is_the_installed_one_and_stays_in_the_browsers_cache(client: TestClient) -> None:
    answer = client.get("/compecon/plotly.js?v=1")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.content == plain_files()[plotly_address().partition("?")[0]].content


# ---- sizes of elastic checkpoints


@pytest.fixture
def elastic(tmp_path: Path, add_folder: Callable[[Path], str]) -> str:
    """An elastic checkpoint of SST-2 with a measured size, by the key of its point."""
    folder = elastic_folder("sentiment", tmp_path / "mine")
    record = json.loads((folder / "compecon.json").read_text())
    metric = {"name": "accuracy", "split": "test", "value": 0.84, "low": 0.82, "high": 0.86, "n": 1821}
    sizes = [{"budget": 0.6, "macs": 60_000_000, "share": 0.6, "units": [[5, 700]] * 3, "metrics": [metric]}]
    training = {"method": "elastic", "parent": "sentiment", "macs": 10**8, "dense_macs": 10**8, "n_tokens": 25}
    record |= {"task": "sst2", "metrics": [metric], "training": {**training, "sizes": sizes}}
    (folder / "compecon.json").write_text(json.dumps(record))
    add_folder(folder)
    return f"local/{folder}"


def test_a_size_is_a_mark_with_its_command_before_streamlit_is_there_too(elastic: str) -> None:
    page = open_page(task="sst2", y="quality")
    data = canvas_of(page)
    assert {elastic, f"{elastic}@0.6"} <= keys_in(data)
    command = f"compecon export {elastic.removeprefix('local/')} mine-at-0.6 --budget 0.6"
    assert data["commands"][f"{elastic}@0.6"] == command
    assert all(key.rpartition("@")[2] in command for key, command in data["commands"].items())
    assert data["doors"][f"{elastic}@0.6"] == [True, True]
    early = first_data({"task": "sst2", "y": "quality"})
    assert early is not None
    assert (early["figure"], early["commands"]) == (data["figure"], data["commands"])


@pytest.mark.parametrize(("tail", "size"), [("", 1.0), ("@0.6", 0.6)])
def test_a_size_opens_as_that_size(elastic: str, monkeypatch: pytest.MonkeyPatch, tail: str, size: float) -> None:
    opened: list[dict[str, str]] = []
    for door in ("attention", "compare"):
        wish = {"to": door, "key": elastic + tail}
        monkeypatch.setattr("app.frontier.frontier_page.frontier_canvas", lambda *_, wish=wish: wish)
        monkeypatch.setattr("streamlit.switch_page", lambda _, query_params=None: opened.append(query_params or {}))
        page = open_page(task="sst2")
        assert not page.exception
    assert opened[0] == ({} if size == 1 else {"size": str(size)})
    assert page.session_state["compare_view"] == {"size_a": size, "size_b": 1.0}
