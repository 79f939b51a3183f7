"""Elastic checkpoints in the dashboard: what its pages say of them, and what its addresses answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.models.sweep_job import SweepJob
from app.server.guard import TOKEN_HEADER, page_token
from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.save import save_checkpoint
from compecon.views.attention.frames import decode
from compecon.views.attention.snippet import SIZE
from tests.support.elastic import made_elastic
from tests.support.pages import address_of, canvas_of, open_page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = made_elastic(load_checkpoint("sentiment", "cpu"))
    assert made.elastic is not None
    place = tmp_path_factory.mktemp("elastic") / "every-size"
    return save_checkpoint(made.model, made.tokenizer, place, prices=made.elastic.prices)


@pytest.fixture
def name(folder: Path, add_folder: Callable[[Path], str]) -> str:
    return add_folder(folder)


def test_the_attention_page_says_that_a_checkpoint_is_elastic_and_keeps_its_size(name: str) -> None:
    page = open_page("attention", checkpoint=name, size="0.5")
    data = canvas_of(page)
    assert (data["elastic"], data["view"]["size"]) == (True, 0.5)
    assert data["python"].index(SIZE) < data["python"].index(name)  # before anything that somebody has written
    assert address_of(page) == {"checkpoint": name, "size": "0.5"}
    other = canvas_of(open_page("attention", checkpoint="sentiment"))
    assert (other["elastic"], SIZE in other["python"]) == (False, False)


def test_the_size_is_a_matter_of_the_view_and_asks_for_no_other_computation(name: str) -> None:
    one, other = (canvas_of(open_page("attention", checkpoint=name, size=size)) for size in ("1", "0.4"))
    differing = {key for key in one if one[key] != other[key]}
    assert differing == {"view"}


def test_the_compare_page_says_which_sides_are_elastic_and_keeps_their_sizes(name: str) -> None:
    page = open_page("compare", a="sentiment", b=name, size_b="0.4", size_a="0.9")
    data: dict[str, Any] = canvas_of(page)
    assert [data[side]["elastic"] for side in "ab"] == [False, True]
    assert (data["view"]["size_a"], data["view"]["size_b"]) == (0.9, 0.4)
    assert {"size_a": "0.9", "size_b": "0.4"}.items() <= address_of(page).items()


def test_an_elastic_checkpoint_is_compared_with_itself_at_another_size(name: str) -> None:
    data: dict[str, Any] = canvas_of(open_page("compare", a=name, b=name, size_b="0.4"))
    assert data["error"] is None
    assert data["a"]["live"] == data["b"]["live"]
    assert data["notes"]


def test_the_whole_is_remembered_once_however_it_is_asked_for() -> None:
    asked = SweepJob("every-size", "cpu", "A fine film.", first=3)
    assert asked.known_as == replace(asked, size=1.0, first=2).known_as != replace(asked, size=0.5).known_as


def post(client: TestClient, path: str, **body: Any) -> Any:
    return client.post(f"/compecon/{path}", content=json.dumps(body), headers={TOKEN_HEADER: page_token()})


def test_the_addresses_answer_sizes_and_times_of_a_checkpoint(client: TestClient, name: str) -> None:
    asked = {"checkpoint": name, "device": "cpu", "text": "Not bad at all."}
    opened, *frames = decode(post(client, "sweep", **asked, budgets=[2], size=0.4).content)
    assert (opened.kind, opened.fields["size"], frames[-1].kind) == ("open", 0.4, "done")
    whole = [post(client, "sweep", **asked, budgets=[2], **size).content for size in ({}, {"size": 1.0})]
    assert whole[0] == whole[1]  # the time it took among it: the second answer is the first one
    assert len(opened.fields["removed"]) == 36 - opened.fields["sizes"][-1]["heads"]
    times = list(decode(post(client, "latency", **asked).content))
    assert [m.fields["size"] for m in times] == 2 * [each["size"] for each in opened.fields["sizes"]]
    assert all(0 < m.fields["low"] <= m.fields["ms"] <= m.fields["high"] for m in times)
    assert all(0 < m.fields["whole_low"] <= m.fields["whole_ms"] <= m.fields["whole_high"] for m in times)


@pytest.mark.parametrize(("path", "more"), [("latency", {}), ("sweep", {"size": 0.5})])
def test_a_checkpoint_of_one_size_is_answered_with_one_sentence(
    client: TestClient, path: str, more: dict[str, float]
) -> None:
    [message] = decode(post(client, path, checkpoint="sentiment", device="cpu", text="A fine film.", **more).content)
    assert message.kind == "error"
    assert "single size" in message.fields["error"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"size": 0.5}, 422), ({"policy": "top-k"}, 422), ({"text": 3}, 422), ({"checkpoint": "/etc"}, 404)],
)
def test_what_is_no_question_about_times_is_refused(client: TestClient, fields: dict[str, Any], status: int) -> None:
    asked = {"checkpoint": "sentiment", "device": "cpu", "text": "A fine film."}
    assert post(client, "latency", **asked | fields).status_code == status
