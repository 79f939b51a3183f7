"""What the screen shows of runs, as plain data."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compecon.runs.history import History
from compecon.runs.run_record import RunRecord, RunSpec, RunState, Status
from compecon.views.runs.curves import Courses, Curve, Series, StageMark, thinned
from compecon.views.runs.detail import actions_of, run_detail
from compecon.views.runs.pace import seconds_left, step_durations
from compecon.views.runs.results import Expectation, Fact, expectations_of, facts_of
from compecon.views.runs.run_columns import COLUMNS, SORTS, in_order, rows_csv
from compecon.views.runs.run_rows import (
    HALTED,
    SIGNS,
    RunRow,
    Tally,
    matching,
    progress_of,
    run_row,
    sweep_tally,
)
from compecon.views.runs.spec_diff import ABSENT, Change, spec_diff
from compecon.views.spans import ago, duration, size, span

NOW = 1_000_000.0
SPEC = RunSpec("train", {"task": "reviews", "target": 0.45}, title="Mine", order=3, created_at=NOW - 300)


def a_run(state: RunState = RunState.RUNNING, spec: RunSpec = SPEC, reason: str = "", **status: Any) -> RunRecord:
    said = Status(state=state, reason=reason, **status)
    return RunRecord("train-00000001", Path("/nowhere/train-00000001"), spec, said, state, reason)


def steps(*seconds: float, first: int = 1) -> list[dict[str, Any]]:
    return [{"step": first + n, "seconds": value} for n, value in enumerate(seconds)]


# ---- rows


def test_a_row_of_a_run_that_is_under_way() -> None:
    record = a_run(stage="incentive", step=120, total=540)
    assert run_row(record, NOW, [0.5] * 10) == RunRow(
        run_id="train-00000001", state=RunState.RUNNING, sign="○", word="running", title="Mine",
        progress=120 / 540, stage="incentive 120 of 540", left="about 3.5 min", quality=None, share=None, reason="",
        when="5 min ago", elapsed="under 1 s", left_s=210.0, submitted_at=NOW - 300,
    )  # fmt: skip


def test_a_row_of_a_run_that_is_done() -> None:
    results = {"metric": {"value": 0.9}, "share": 0.44, "sentence": "It is smaller."}
    row = run_row(a_run(RunState.SUCCEEDED, step=5, total=9, stage="incentive", results=results), NOW)
    assert (row.progress, row.stage, row.quality, row.share, row.reason) == (1.0, "", 0.9, 0.44, "It is smaller.")


def test_every_state_has_a_shape_of_its_own() -> None:
    assert set(SIGNS) == set(RunState)
    assert len({sign for sign, _ in SIGNS.values()}) == len({word for _, word in SIGNS.values()}) == len(RunState)


def test_a_run_that_stands_still_says_so_and_promises_no_time() -> None:
    row = run_row(replace(a_run(step=1, total=9, stage="x"), is_stalled=True), NOW, [1.0] * 10)
    assert (row.word, row.reason, row.left) == ("halted", HALTED, "")


@pytest.mark.parametrize(
    ("step", "total", "expected"), [(0, 0, None), (3, 0, None), (3, 4, 0.75), (9, 4, 1.0), (-1, 4, 0.0)]
)
def test_progress_is_a_share_or_nothing(step: int, total: int, expected: float | None) -> None:
    assert progress_of(a_run(step=step, total=total)) == expected


def test_results_that_somebody_spoilt_are_left_out() -> None:
    spoilt: dict[str, Any] = {"metric": [1], "share": "much", "sentence": {"a": 1}}
    row = run_row(a_run(RunState.SUCCEEDED, results=spoilt), NOW)
    assert (row.quality, row.share, row.reason) == (None, None, "")


ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "B", "b"]), st.none() | st.floats(0, 1), st.none() | st.integers(0, 3)), max_size=12
)


@given(ROWS, st.sampled_from(SORTS))
def test_rows_are_in_the_order_of_a_column(cells: list[tuple[str, float | None, int | None]], sort: str) -> None:
    record = a_run()
    rows = [
        replace(run_row(record, NOW), run_id=str(n), title=title, quality=quality, left_s=left)
        for n, (title, quality, left) in enumerate(cells)
    ]
    column, found = COLUMNS[sort.removeprefix("-")], in_order(rows, sort)
    assert sorted(row.run_id for row in found) == sorted(row.run_id for row in rows)
    ranks = [column.rank(row) for row in found]
    known = [rank for rank in ranks if rank is not None]
    assert ranks[: len(known)] == known == sorted(known, reverse=sort.startswith("-"))
    for rank in known:  # equal ones keep their order
        alike = [int(row.run_id) for row in found if column.rank(row) == rank]
        assert alike == sorted(alike)


def test_a_file_of_the_list_holds_numbers_and_no_formulas() -> None:
    results = {"metric": {"value": 0.9}, "share": 0.44}
    rows = [run_row(a_run(RunState.SUCCEEDED, replace(SPEC, title="=1+1"), results=results), NOW)]
    [read] = csv.DictReader(io.StringIO(rows_csv(rows)))
    assert read["run"] == "'=1+1"
    assert (float(read["quality"]), float(read["macs_left"]), float(read["progress"])) == (0.9, 0.44, 1.0)
    assert float(read["submitted_at"]) == NOW - 300
    assert read["left_s"] == ""


def test_the_list_is_filtered() -> None:
    runs = [
        replace(a_run(state, replace(SPEC, title=f"Number {n}", sweep="s" * n)), run_id=f"train-0000000{n}")
        for n, state in enumerate([RunState.LOST, RunState.RUNNING, RunState.LOST, RunState.SUCCEEDED])
    ]
    assert matching(runs) == runs
    assert matching(runs, "NUMBER 3") == matching(runs, "3 number") == runs[3:]
    assert matching(runs, state="lost") == [runs[0], runs[2]]
    assert matching(runs, sweep="ss") == [runs[2]]
    assert matching((), "x") == []


def test_a_sweep_is_tallied_by_state() -> None:
    states = [RunState.SUCCEEDED, RunState.LOST, RunState.SUCCEEDED, RunState.RUNNING]
    runs = [a_run(state, replace(SPEC, sweep="mine")) for state in states]
    others = [a_run(RunState.FAILED, replace(SPEC, sweep="other")), a_run()]
    assert sweep_tally([*runs, *others], "mine") == Tally("1 running, 2 succeeded, 1 lost", True, True)
    assert sweep_tally(runs[:1], "mine") == Tally("1 succeeded", False, False)


# ---- time left


def test_the_time_left_is_the_steps_left_at_the_quartiles_of_the_last_steps() -> None:
    durations = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert seconds_left(durations, 10) == tuple(10 * np.quantile(durations, [0.25, 0.75]))


def test_too_few_steps_promise_nothing() -> None:
    assert seconds_left([1.0] * 4, 10) is None
    assert seconds_left([1.0] * 50, 0) is None


def test_the_clock_of_a_new_attempt_is_no_step() -> None:
    resumed = steps(1.0, 2.0, 3.0) + steps(0.5, 1.5, first=4)
    assert step_durations(resumed) == (1.0, 1.0, 1.0)


def test_a_gap_is_no_step() -> None:
    assert step_durations(steps(1.0, 2.0) + steps(9.0, 10.0, first=7)) == (1.0, 1.0)


def test_only_the_last_steps_count() -> None:
    assert step_durations(steps(*np.cumsum([9.0, 9.0, 1.0, 2.0, 3.0])), last=3) == pytest.approx((1.0, 2.0, 3.0))


def test_steps_without_a_time_are_passed_over() -> None:
    assert step_durations([{"step": 1}, {"step": 2, "seconds": None}, {"step": 3, "seconds": 1}]) == ()


# ---- words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "under 1 s"), (0.4, "under 1 s"), (45, "45 s"), (119, "119 s"), (150, "2 min 30 s"), (720, "12 min"),
     (12_000, "3 h 20 min"), (216_000, "2.5 days")],
)  # fmt: skip
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0, 0.2, "under 1 s"), (40, 60, "40–60 s"), (50, 95, "0.8–1.6 min"), (120, 180, "2–3 min"), (60, 60, "about 60 s"),
     (5400, 9000, "1.5–2.5 h"), (86_400 * 2, 86_400 * 3, "2–3 days")],
)  # fmt: skip
def test_ranges_in_words(low: float, high: float, words: str) -> None:
    assert span(low, high) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-9e9, "just now"), (59, "just now"), (60, "1 min ago"), (7200, "2 h ago"), (86_400, "1 day ago"),
     (200_000, "2 days ago")],
)  # fmt: skip
def test_moments_in_words(seconds: float, words: str) -> None:
    assert ago(seconds) == words


def test_sizes_in_words() -> None:
    assert [size(n) for n in (850e3, 12.4e6, 1.44e9)] == ["850 kB", "12 MB", "1.4 GB"]


# ---- curves


def write(path: Path, *records: dict[str, Any]) -> None:
    with path.open("a") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in records)


def a_step(stage: str, step: int, task: float = 1.0, price: float = 0.0, **more: float) -> dict[str, Any]:
    return {"stage": stage, "step": step, "total": 9, "task": task, "price": price, "cost": 1.0, "share": 1.0, **more}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "metrics.jsonl")


def curves_of(history: History) -> dict[str, Curve]:
    history.read_on()
    return {curve.name: curve for curve in Courses(history).curves()}


def test_steps_are_counted_over_all_stages(history: History) -> None:
    write(history.path, a_step("dense", 1, 0.9), a_step("dense", 2, 0.8), a_step("incentive", 1, 0.7))
    curve = curves_of(history)["task loss"]
    assert curve.series == (Series("each step", ((1, 0.9), (2, 0.8), (3, 0.7)), is_raw=True),)
    assert Courses(history).stages == (StageMark("dense", 0), StageMark("incentive", 2))


def test_a_training_without_a_price_shows_neither_price_nor_cost(history: History) -> None:
    write(history.path, a_step("dense", 1))
    assert list(curves_of(history)) == ["task loss"]


def test_price_and_cost_are_shown_where_something_was_charged(history: History) -> None:
    write(history.path, a_step("incentive", 1, price=2.0, cost=0.8, share=0.7))
    curves = curves_of(history)
    assert curves["price"].series == (Series("price", ((1, 2.0),)),)
    assert curves["cost"].series == (Series("as priced", ((1, 0.8),)), Series("if removed now", ((1, 0.7),)))


def test_quality_is_shown_where_it_was_measured(history: History) -> None:
    quality = {"event": "quality", "stage": "incentive", "metric": "accuracy", "split": "dev"}
    write(history.path, *(a_step("dense", n) for n in (1, 2)), a_step("incentive", 1))
    write(history.path, {**quality, "stage": "dense", "step": 2, "value": 0.8}, {**quality, "step": 1, "value": 0.7})
    write(history.path, {**quality, "step": 2, "value": None}, {"event": "attempt", "attempt": 2})
    assert curves_of(history)["quality"].series == (Series("accuracy dev", ((2, 0.8), (3, 0.7))),)


def test_what_is_no_number_is_left_out(history: History) -> None:
    write(history.path, a_step("dense", 1, 0.9), {"stage": "dense", "step": 2, "task": None}, a_step("dense", 3, 0.5))
    assert curves_of(history)["task loss"].series == (Series("each step", ((1, 0.9), (3, 0.5)), is_raw=True),)


def test_the_line_is_the_mean_of_the_steps_before(history: History) -> None:
    values = [float(n % 7) for n in range(60)]
    write(history.path, *(a_step("dense", n + 1, value) for n, value in enumerate(values)))
    [_, line] = curves_of(history)["task loss"].series
    assert line.points == tuple((n, pytest.approx(np.mean(values[n - 25 : n]))) for n in range(25, 61))


def test_asking_again_gives_what_asking_once_gives(history: History) -> None:
    courses = Courses(history)
    for n in range(1, 40):
        write(history.path, a_step("dense", n, n / 7), a_step("incentive", n, n / 3, price=n, cost=0.5))
        history.read_on()
        courses.curves()
    assert courses.curves() == Courses(history).curves()


def test_a_history_that_was_replaced_is_read_anew(history: History) -> None:
    courses = Courses(history)
    write(history.path, *(a_step("dense", n, 1.0) for n in range(1, 9)))
    history.read_on()
    courses.curves()
    other = history.path.with_name("other")
    write(other, *(a_step("dense", n, 2.0) for n in range(1, 12)))
    other.replace(history.path)
    history.read_on()
    assert courses.curves()[0].series == (Series("each step", tuple((n, 2.0) for n in range(1, 12)), is_raw=True),)


def test_thinning_keeps_both_peaks_of_every_piece_and_few_points() -> None:
    x, y = np.arange(1, 100_001), np.random.default_rng(0).normal(size=100_000)
    points = thinned(x, y, 400)
    assert len(points) <= 400
    assert {value for _, value in points} >= {y.min(), y.max()}
    for piece in np.array_split(np.arange(100_000), 200):
        kept = [value for step, value in points if piece[0] + 1 <= step <= piece[-1] + 1]
        assert (min(kept), max(kept)) == (y[piece].min(), y[piece].max())


def test_a_short_line_is_left_as_it_is() -> None:
    assert thinned(np.array([1, 2]), np.array([np.nan, 3.0]), 400) == ((2, 3.0),)


# ---- what is different


def test_the_difference_of_two_specs_names_each_setting_once() -> None:
    before = RunSpec("train", {"a": 1, "b": None, "c": [1, 2], "same": "x"}, versions={"torch": "2.6"}, threads=1)
    after = RunSpec("prune", {"a": 2.5, "b": True, "same": "x", "d": "y"}, versions={"torch": "2.7"}, threads=2)
    assert spec_diff(before, after) == (
        Change("recipe", "train", "prune"),
        Change("a", "1", "2.5"),
        Change("b", "none", "yes"),
        Change("c", "1, 2", ABSENT),
        Change("d", ABSENT, "y"),
        Change("threads", "1", "2"),
        Change("version of torch", "2.6", "2.7"),
    )


def test_titles_and_turns_are_no_difference() -> None:
    assert spec_diff(SPEC, replace(SPEC, title="Other", order=9, created_at=1.0, sweep="s", parent_run="p")) == ()


# ---- results

METRIC = {"name": "accuracy", "split": "test", "value": 0.8612, "low": 0.83, "high": 0.89, "n": 1821}
RESULTS: dict[str, Any] = {
    "metric": METRIC, "parent": "sentiment", "parent_metric": {**METRIC, "value": 0.87},
    "difference": {"value": -0.0088, "low": -0.02, "high": 0.003}, "macs": 30_000_000, "parent_macs": 60_000_000,
    "n_tokens": 24, "share": 0.449, "target": 0.45, "met": False, "price": 1.5,
    "latency": {"ratio": 0.62, "low": 0.6, "high": 0.65, "batch": 1, "n_tokens": 24},
    "estimate": {"seconds": 100, "memory_bytes": 2e9, "disk_bytes": 5e7},
    "took": {"seconds": 150, "peak_bytes": 3e9, "base_bytes": 1e9},
}  # fmt: skip


def test_results_are_told_with_their_intervals_and_conditions() -> None:
    assert facts_of(RESULTS) == (
        Fact("quality", "0.861 accuracy on test, 95% interval 0.830–0.890, 1,821 rows"),
        Fact("quality of sentiment", "0.870 accuracy on test, 95% interval 0.830–0.890, 1,821 rows"),
        Fact("difference", "−0.009, 95% interval −0.020 to +0.003 (paired)"),
        Fact("MACs", "30.0 of 60.0 million per text at 24 tokens: 50%"),
        Fact("heads and neurons", "44.9% of their MACs remain, target 45.0%, reached by a final cut"),
        Fact(
            "time of a forward pass",
            "0.62 (0.60–0.65) of the parent's, measured on this machine, batch 1 of 24 tokens",
        ),
        Fact("price when the gates were frozen", "1.5 (task loss for all of the dense cost)"),
    )  # fmt: skip


def test_results_of_another_kind_say_nothing_rather_than_something_wrong() -> None:
    assert facts_of({"metric": 3, "macs": True, "share": float("nan"), "latency": None}) == ()


def test_sizes_of_an_elastic_checkpoint_are_told_on_the_split_of_the_whole() -> None:
    def metric(value: float, split: str = "test") -> dict[str, Any]:
        return {"name": "accuracy", "split": split, "value": value, "low": value - 0.1, "high": value + 0.1, "n": 50}

    sizes = [{"budget": 0.5, "metrics": [metric(0.7, "dev"), metric(0.8)]}, {"budget": 0.2, "metrics": [metric(0.6)]}]
    found = {fact.name: fact.value for fact in facts_of({"metric": metric(0.9), "sizes": sizes})}
    assert [name for name in found if name.startswith("at ")] == ["at 0.5 of the MACs", "at 0.2 of the MACs"]
    assert found["at 0.5 of the MACs"].startswith("0.800 accuracy on test")
    for wrong in (3, [3], [{"budget": "half"}], [{"budget": 0.5, "metrics": 1}], [{"budget": 0.5, "metrics": [3]}]):
        assert len(facts_of({"metric": metric(0.9), "sizes": wrong})) == 1


def test_what_was_expected_stands_beside_what_it_took() -> None:
    assert expectations_of(RESULTS) == (
        Expectation("training time", "100 s", "2 min 30 s", 1.5),
        Expectation("memory", "2.0 GB", "2.0 GB", 1.0),
    )


# ---- a run


@pytest.mark.parametrize(
    ("state", "actions"),
    [(RunState.QUEUED, ("stop",)), (RunState.RUNNING, ("stop",)), (RunState.STOPPING, ("kill",)),
     (RunState.CANCELLED, ("resume", "delete")), (RunState.LOST, ("resume", "delete")),
     (RunState.FAILED, ("again", "delete")), (RunState.SUCCEEDED, ("delete",))],
)  # fmt: skip
def test_what_can_be_done_follows_from_the_state(state: RunState, actions: tuple[str, ...]) -> None:
    assert actions_of(a_run(state)) == actions


def test_a_run_that_made_a_checkpoint_can_be_opened(tmp_path: Path) -> None:
    record = replace(a_run(RunState.SUCCEEDED), folder=tmp_path)
    record_folder = tmp_path / "result" / record.run_id
    record_folder.mkdir(parents=True)
    (record_folder / "config.json").write_text("{}")
    assert actions_of(record) == ("open", "delete")


def test_a_run_is_shown_with_its_settings_and_curves(history: History) -> None:
    write(history.path, a_step("dense", 1, 0.9))
    history.read_on()
    record = a_run(RunState.SUCCEEDED, results={"sentence": "Smaller and as good."}, seconds=90.0)
    detail = run_detail(record, Courses(history), "a line\n", now=NOW)
    assert detail.row == run_row(record, NOW)
    assert (detail.sentence, detail.log) == ("Smaller and as good.", "a line\n")
    assert detail.settings == (Fact("task", "reviews"), Fact("target", "0.45"))
    assert detail.about[0] == Fact("time of this attempt", "90 s")
    assert detail.curves == Courses(history).curves()


def test_a_progress_bar_in_the_log_is_shown_as_it_was_at_last(history: History) -> None:
    detail = run_detail(a_run(), Courses(history), "begun\n  0%|\r 50%|\r100%|\nended\r\nno end", now=NOW)
    assert detail.log == "begun\n100%|\nended\nno end\n"


def test_a_sentence_is_said_only_once_it_is_true(history: History) -> None:
    record = a_run(RunState.FAILED, results={"sentence": "Smaller and as good."})
    assert run_detail(record, Courses(history), "", now=NOW).sentence == ""
