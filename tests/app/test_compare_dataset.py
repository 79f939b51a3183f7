"""The data set part of the Compare page as a script: the picture, the lists, and what its buttons ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.compare import shared_measurements as compare_measured
from app.compare.dataset_chart import head_figure, head_table, level_figure, level_table
from app.compare.shared_measurements import compared, sets_of
from app.train import run_resources
from compecon.checkpoints.checkpoint_fingerprint import digest_of
from compecon.errors import RunError
from compecon.evaluation.row_store import StatisticsStore, write_statistics
from compecon.runs.folder import STATUS
from compecon.runs.home import Home
from compecon.runs.locks import Lock
from compecon.runs.run_record import RunSpec, RunState, Status
from compecon.runs.store import RunStore
from compecon.runs.submission import new_spec
from compecon.views.compare.telling_rows import LISTS, listed_rows

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PAIR = {"a": "sentiment", "b": "sentiment-elastic"}
Open = Callable[..., AppTest]


class Executor:
    """Makes runs, and starts nothing; remembers what it was asked for."""

    name = "local"

    def __init__(self, store: RunStore) -> None:
        self.store, self.problem = store, ""
        self.specs: list[RunSpec] = []
        self.stopped: list[str] = []
        self.locks: list[Lock] = []

    def submit(self, spec: RunSpec, key: str = "") -> str:
        if self.problem:
            raise RunError(self.problem)
        run_id, lock = self.store.create(spec, key)
        if lock is not None:
            self.locks.append(lock)  # as a worker would hold it
            self.specs.append(spec)
        return run_id

    def stop(self, run_id: str) -> None:
        self.stopped.append(run_id)

    def lives(self, _record: object) -> bool | None:
        return True


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    one = Executor(RunStore(Home(tmp_path / "home")))
    monkeypatch.setattr(run_resources, "executor_for", lambda _name, _store: one)
    yield one
    for lock in one.locks:
        lock.release()


@pytest.fixture
def open_part(executor: Executor) -> Open:
    """Open the page with an address: ``open_part(a="similarity", b="similarity-elastic")``."""

    def run(**params: str) -> AppTest:
        page = AppTest.from_file(ROOT / "app" / "streamlit_app.py", default_timeout=90)
        page.switch_page(str(ROOT / "pages" / "compare.py"))
        for name, value in {"part": "dataset", **PAIR, **params}.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    del executor
    return run


def words(page: AppTest) -> str:
    drawn = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    return " ".join(re.sub(r"\\(.)", r"\1", each.value) for each in drawn)


def write_run(executor: Executor, spec: RunSpec, state: RunState, reason: str = "") -> str:
    run_id, lock = executor.store.create(spec)
    assert lock is not None
    said = Status(state, reason, pid=1, spec_sha256=spec.digest)
    (executor.store.folder(run_id) / STATUS).write_text(json.dumps(asdict(said)))
    if state.is_finished:
        lock.release()
    return run_id


# ---- the picture


def test_a_bundled_pair_has_a_finished_picture_at_once(open_part: Open) -> None:
    page = open_part()
    a, b = next(each.both for each in sets_of(*PAIR.values()) if each.both)
    view = compared(a, b)
    assert page.selectbox(key="compare_dataset_rows").options[0] == "sst2 · test · 200 rows"
    assert f"Gini of A is {view.levels[0].gini.a.value:.3f}" in words(page)
    assert f"{view.n_disagree} of 200 rows" in words(page)
    assert len(page.get("vega_lite_chart")) == 6 + 2
    assert "not latency" in words(page)
    [selection] = page.table
    assert selection.value.shape == (4, 3)


def test_other_rows_can_be_looked_at(open_part: Open) -> None:
    page = open_part()
    rows = page.selectbox(key="compare_dataset_rows")
    assert rows.options == ["sst2 · test · 200 rows", "reviews (synthetic) · test · 200 rows"]
    name = next(each.name for each in sets_of(*PAIR.values()) if "synthetic" in each.title)
    rows.select(name).run()
    assert not page.exception
    assert "a row to compare" in words(page)


def test_each_list_shows_its_rows(open_part: Open) -> None:
    page = open_part(a="similarity", b="similarity-elastic")
    [each] = [each.both for each in sets_of("similarity", "similarity-elastic")]
    assert each is not None
    listed = {}
    for which in LISTS:
        page.selectbox(key="compare_dataset_list").select(which).run()
        assert not page.exception
        [rows, *_] = page.dataframe
        assert "text" not in rows.value
        listed[which] = rows.value["row"].tolist()
    assert listed == {which: [row.row for row in listed_rows(*each, which)] for which in LISTS}


def test_the_figures_hold_what_the_view_says() -> None:
    both = next(each.both for each in sets_of(*PAIR.values()) if each.both)
    view = compared(*both)
    table = level_table(view, "gini", is_difference=False)
    assert table["value"].tolist() == [side.value for level in view.levels for side in (level.gini.a, level.gini.b)]
    apart = level_table(view, "accuracy", is_difference=True)
    assert apart["low"].tolist() == [level.quality.difference.low for level in view.levels]
    for is_difference in (False, True):
        figure = level_figure(view, "Gini", is_difference=is_difference)
        assert "data" not in figure
        assert figure["layer"][-1]["encoding"]["x"]["sort"] == ["all", "8", "4", "2", "1"]
    first, second, *others = view.heads  # of two checkpoints that both have all heads
    lost = (replace(first, gini_b=None), replace(second, gini_a=None), *others)
    heads = head_table(lost, "gini")
    assert heads["only"].tolist() == ["A", "B", *[""] * len(others)]
    assert heads["difference"].tolist() == [each.gini.value for each in lost]
    assert "data" not in head_figure(heads, "Gini")


# ---- texts


def press_second_row() -> None:
    import streamlit as st  # noqa: PLC0415 - the tester runs this function's text as a script

    from app.state.dataset_state import list_rows, take_listed_row  # noqa: PLC0415 - likewise
    from app.state.held import widget_key  # noqa: PLC0415

    list_rows("table", [("first", ""), ("second", "its pair")])
    st.session_state["table"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    take_listed_row()
    st.session_state["found"] = [st.session_state[widget_key(f"compare_{name}")] for name in ("text", "pair", "part")]


def test_a_row_that_is_pressed_is_compared_as_a_text() -> None:
    """The tester cannot press a row of a table, so this is what a press calls."""
    page = AppTest.from_function(press_second_row).run()
    assert not page.exception
    assert page.session_state["found"] == ["second", "its pair", "text"]


def test_texts_that_are_not_shipped_are_asked_for(open_part: Open, tmp_path: Path) -> None:
    page = open_part(a="similarity", b="similarity-elastic")
    assert "data folder" in words(page)
    page.button(key="compare-texts").click().run()
    assert "Give a folder." in words(page)
    page.text_input(key="compare_dataset_folder").input("/not/there").run()
    page.button(key="compare-texts").click().run()
    assert "'/not/there'" in words(page)
    page.text_input(key="compare_dataset_folder").input(str(tmp_path)).run()
    page.button(key="compare-texts").click().run()
    assert not page.exception
    assert page.error


def test_texts_appear_from_the_data_folder(open_part: Open, data_dir: Path) -> None:
    page = open_part(a="similarity", b="similarity-elastic")
    page.text_input(key="compare_dataset_folder").input(str(data_dir)).run()
    page.button(key="compare-texts").click().run()
    [rows, *_] = page.dataframe
    assert rows.value["text"].str.len().min() > 0
    assert rows.value["second text"].str.len().min() > 0


# ---- measuring


def test_a_pair_that_was_not_measured_is_measured_in_the_background(open_part: Open, executor: Executor) -> None:
    page = open_part(a="sentiment-45-taylor", b="sentiment-elastic")
    assert "not been measured on the same rows" in words(page)
    assert not page.get("vega_lite_chart")
    page.number_input(key="compare_measure_rows").set_value(50).run()
    page.button(key="compare-measure").click().run()
    assert not page.exception
    asked = [
        (spec.recipe, spec.params["checkpoint"], spec.params["task"], spec.params["rows"]) for spec in executor.specs
    ]
    assert asked == [
        ("statistics", "sentiment-45-taylor", "reviews", 50),
        ("statistics", "sentiment-elastic", "reviews", 50),
    ]
    assert executor.specs[0].title == "Statistics, sentiment-45-taylor on reviews"
    assert page.button(key="compare-measure").disabled


def test_two_presses_measure_once(open_part: Open, executor: Executor) -> None:
    page = open_part(a="sentiment-45-taylor", b="sentiment-45-taylor")
    page.button(key="compare-measure").click().run()
    other = open_part(a="sentiment-45-taylor", b="sentiment-45-taylor")
    assert other.button(key="compare-measure").disabled
    assert len(executor.specs) == 1


def test_what_is_under_way_is_shown_and_can_be_stopped(open_part: Open, executor: Executor) -> None:
    page = open_part(a="sentiment-45-taylor", b="sentiment-elastic")
    page.button(key="compare-measure").click().run()
    assert "Being measured" in words(page)
    stops = [button for button in page.button if str(button.key).startswith("compare-stop-")]
    assert len(stops) == 2
    stops[0].click().run()
    assert executor.stopped == [str(stops[0].key).removeprefix("compare-stop-")]


def test_a_measurement_that_failed_says_why(open_part: Open, executor: Executor) -> None:
    spec = new_spec("statistics", {"checkpoint": "sentiment-45-taylor", "task": "reviews"}, title="Mine <b>")
    write_run(executor, spec, RunState.FAILED, "The rows are gone.")
    page = open_part(a="sentiment-45-taylor", b="sentiment")
    assert "Mine <b> ended without a result: The rows are gone." in words(page)
    page.button(key="compare-measure").click().run()
    assert [each.params["checkpoint"] for each in executor.specs] == ["sentiment-45-taylor", "sentiment"]


def test_a_refusal_is_said_on_the_page(open_part: Open, executor: Executor) -> None:
    executor.problem = "There is *no* room."
    page = open_part(a="sentiment-45-taylor", b="sentiment-elastic")
    page.button(key="compare-measure").click().run()
    assert "There is *no* room." in words(page)
    executor.problem = ""


def test_what_a_run_measured_is_shown(open_part: Open, tmp_path: Path) -> None:
    found = StatisticsStore().all()
    a = next(each for each in found if (each.checkpoint, each.key.task) == ("sentiment", "sst2"))
    page = open_part(a="sentiment", b="sentiment-45-taylor")
    assert "not been measured on the same rows" in words(page)
    other = replace(a, key=replace(a.key, digest=digest_of("sentiment-45-taylor")), checkpoint="sentiment-45-taylor")
    write_statistics(other, Home(tmp_path / "home").measurements / "statistics")
    page.run()
    assert " 0 of 200 rows" in words(page)


def test_a_wrong_data_folder_is_refused_before_anything_is_queued(
    open_part: Open, executor: Executor, tmp_path: Path
) -> None:
    page = open_part(a="sentiment-45-taylor", b="sentiment-elastic")
    page.selectbox(key="compare_measure_task").select("sst2").run()
    for wrong in (tmp_path, Path(__file__), tmp_path / "nowhere"):
        page.text_input(key="compare_measure_data").input(str(wrong)).run()
        assert not page.exception
        assert page.button(key="compare-measure").disabled
        assert "sst2/train.tsv" in words(page)
    page.text_input(key="compare_measure_data").input("").run()
    assert not page.button(key="compare-measure").disabled
    assert not executor.specs


def test_own_files_can_be_measured(open_part: Open, executor: Executor, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("text,label\n" + "".join(f"text {i},{('negative', 'positive')[i % 2]}\n" for i in range(80)))
    page = open_part(a="sentiment-45-taylor", b="sentiment-elastic")
    page.selectbox(key="compare_measure_task").select("own files").run()
    assert page.button(key="compare-measure").disabled
    page.text_input(key="compare_measure_files").input(str(table)).run()
    page.button(key="compare-measure").click().run()
    assert not page.exception
    assert [spec.params["task"] for spec in executor.specs] == [f"files:{table}"] * 2


def test_what_was_just_measured_is_chosen(open_part: Open, executor: Executor, tmp_path: Path) -> None:
    page = open_part()
    page.selectbox(key="compare_measure_task").select("reviews").run()
    page.number_input(key="compare_measure_rows").set_value(20).run()
    page.button(key="compare-measure").click().run()
    for each in (each for each in StatisticsStore().all() if each.key.task.startswith("reviews")):
        if each.checkpoint in PAIR.values():
            fewer = replace(each, key=replace(each.key, n_rows=20, rows_digest="0" * len(each.key.rows_digest)))
            write_statistics(fewer, Home(tmp_path / "home").measurements / "statistics")
    while executor.locks:
        executor.locks.pop().release()
    for spec, run_id in zip(executor.specs, (each.run_id for each in executor.store.list()), strict=True):
        said = Status(RunState.SUCCEEDED, pid=1, spec_sha256=spec.digest)
        (executor.store.folder(run_id) / STATUS).write_text(json.dumps(asdict(said)))
    page.run()
    assert not page.exception
    [chosen] = [each for each in sets_of(*PAIR.values()) if each.either.key.n_rows == 20]
    [rows] = [each for each in page.selectbox if each.label == "Rows"]
    assert rows.value == chosen.name


# ---- refusals


def test_rows_of_other_classes_are_refused_in_words(open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ValueError("The classes do not match: A has <b>.")

    monkeypatch.setattr(compare_measured, "dataset_view", refuse)
    compared.cache_clear()
    try:
        assert "The classes do not match: A has <b>." in words(open_part())
    finally:
        compared.cache_clear()


def test_a_checkpoint_that_cannot_be_read_is_said(open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_source: str) -> str:
        raise RunError("It is *gone*.")

    monkeypatch.setattr(compare_measured, "digest_of", refuse)
    assert "It is *gone*." in words(open_part())
