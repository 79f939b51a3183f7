"""The form that starts runs, as plain data: its sections, its presets, its address, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.errors import CompeconError, SettingError
from compecon.runs.history import History
from compecon.runs.jobs.expected import Expected
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.machine_speed import Speed
from compecon.runs.run_record import RunSpec
from compecon.runs.submission import new_spec
from compecon.tasks.task_registry import TASKS
from compecon.views.runs.curves import metrics_csv
from compecon.views.runs.example_rows import ExampleRow, examples_view
from compecon.views.runs.expected_cost import Room, estimate_view
from compecon.views.runs.form_draft import FormDraft
from compecon.views.runs.form_problems import Problem, needs_network, problems_with
from compecon.views.runs.form_sections import KINDS, accepted, changed, sections
from compecon.views.runs.presets import OFFLINE, PRESETS, QUICK

NONCE = "0123456789ab"


@pytest.fixture(scope="module")
def entries() -> dict[str, CheckpointEntry]:
    return {entry.name: entry for entry in list_checkpoints() if entry.origin == "bundled"}


def draft(kind: str = "incentive", **params: Any) -> FormDraft:
    return FormDraft(NONCE, kind, params)


# ---- sections


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_setting_of_a_recipe_has_one_place(kind: Any) -> None:
    placed = [each.name for section in sections(kind) for each in section.settings]
    of_what = {name for name in (kind.source, "task", "data") if kind.source}
    everything = [each.name for each in RECIPES[kind.recipe].settings]
    assert sorted([*placed, *of_what]) == sorted(set(everything) - kind.without)


def test_a_dense_training_is_offered_nothing_to_price() -> None:
    assert not {each.group for section in sections(KINDS["dense"]) for each in section.settings} & {"incentive"}


def test_settings_are_called_as_people_read() -> None:
    assert KINDS["dense"].setting("learning_rate").label == "Learning rate"


def test_what_a_kind_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match="method"):
        KINDS["dense"].setting("method")


# ---- presets


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_run_of_a_preset_is_a_good_one(preset: Any) -> None:
    points = FormDraft.blank().with_preset(preset).points()
    assert points.recipe == KINDS[preset.kind].recipe
    for point in points:
        given = {**points.params, **preset.params, **point}
        said = RECIPES[points.recipe].checked({**points.params, **point})
        assert {name: said[name] for name in given} == given
    assert len(points) == max(1, len(preset.values))


def test_the_experiments_of_the_first_paper_are_there() -> None:
    varied = {(preset.kind, preset.vary): preset.values for preset in PRESETS.values() if preset.vary}
    assert len(varied["incentive", "price"]) >= 4
    assert set(varied["incentive", "units"]) == {"heads", "neurons", "both"}
    assert len(varied["incentive", "target"]) >= 3
    assert {"magnitude", "taylor", "fisher", "random"} <= set(varied["prune", "method"])
    assert any(preset.params.get("key_budgets") for preset in PRESETS.values())


def test_the_quick_look_needs_no_network() -> None:
    form = FormDraft.blank().with_preset(PRESETS[QUICK])
    assert TASKS[str(form.params["task"])].is_made
    assert not needs_network(form.params)


# ---- values


def test_only_values_that_fit_are_accepted() -> None:
    given = {"seed": 3, "epochs": "many", "target": float("nan"), "units": "heads", "unknown": 1, "task": "-x"}
    assert accepted(KINDS["incentive"], given) == {"seed": 3, "units": "heads"}
    assert accepted(KINDS["incentive"], [1]) == {}


def test_only_what_is_no_default_is_kept() -> None:
    values = {each.name: each.default for each in KINDS["dense"].settings}
    assert changed(KINDS["dense"], {**values, "seed": 3, "target": 0.5}) == {"seed": 3}


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("target", "0.6, 0.45,0.3", (0.6, 0.45, 0.3)),
        ("target", "0.5, none", (0.5, None)),
        ("steps", "10, 20", (10, 20)),
        ("units", "heads, both", ("heads", "both")),
        ("decay", "yes, no", (True, False)),
        ("key_budgets", "1, 2; 4", ([1, 2], [4])),
    ],
)
def test_values_are_read_as_they_are_typed(name: str, text: str, values: tuple[Any, ...]) -> None:
    assert KINDS["incentive"].setting(name).parse_several(text) == values


@pytest.mark.parametrize(
    ("name", "text"),
    [("target", "much"), ("target", ""), ("steps", "1.5"), ("units", "tails"), ("decay", "maybe"), ("seed", "none"),
     ("key_budgets", "a")],
)  # fmt: skip
def test_what_is_no_value_is_refused_by_the_settings_name(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=name):
        KINDS["incentive"].setting(name).parse_several(text)


# ---- problems


def test_a_good_form_has_no_problem(entries: dict[str, CheckpointEntry]) -> None:
    for kind in ("incentive", "dense", "prune", "rehearsal"):
        given = draft().with_kind(kind)
        params = {**given.params, **({given.does.source: "sentiment", "task": "reviews"} if given.does.source else {})}
        assert problems_with(KINDS[kind], params, entries) == ()


@pytest.mark.parametrize(
    ("kind", "params", "setting"),
    [
        ("incentive", {"task": "reviews", "base": "sentiment"}, "target"),
        ("incentive", {"task": "reviews", "base": "sentiment", "target": 2.0}, "target"),
        ("incentive", {"task": "reviews", "target": 0.5}, "base"),
        ("incentive", {"base": "sentiment", "target": 0.5}, "task"),
        ("incentive", {"task": "reviews", "base": "sentiment-45-taylor", "target": 0.5}, "base"),
        ("prune", {"task": "reviews", "checkpoint": "sentiment-45-taylor"}, "checkpoint"),
        ("dense", {"task": "reviews", "base": "gone"}, "base"),
        ("dense", {"task": "reviews", "base": "causal"}, "base"),
        ("dense", {"task": "corpus", "base": "sentiment"}, "base"),
        ("dense", {"task": "qnli", "base": "sentiment", "data": "/somewhere"}, "data"),
        ("dense", {"task": "reviews", "base": "sentiment", "epochs": -1.0}, "epochs"),
    ],
)
def test_what_is_wrong_is_said_of_the_setting(
    entries: dict[str, CheckpointEntry], kind: str, params: dict[str, Any], setting: str
) -> None:
    found = problems_with(KINDS[kind], params, entries)
    assert setting in [problem.setting for problem in found]
    assert all(problem.sentence.endswith(".") for problem in found)


def test_a_compacted_checkpoint_may_be_trained_on_as_it_is(entries: dict[str, CheckpointEntry]) -> None:
    assert problems_with(KINDS["dense"], {"task": "reviews", "base": "sentiment-45-taylor"}, entries) == ()


def test_a_checkpoint_that_cannot_be_opened_says_why(entries: dict[str, CheckpointEntry]) -> None:
    broken = replace(entries["sentiment"], preflight=None, problem="Its weights are missing.")
    params = {"task": "reviews", "base": "sentiment"}
    assert problems_with(KINDS["dense"], params, {"sentiment": broken}) == (
        Problem("base", "Its weights are missing."),
    )


def test_only_rows_of_the_hub_need_the_network() -> None:
    assert needs_network({"task": "sst2"})
    assert not needs_network({"task": "sst2", "data": "/data"})
    assert not needs_network({"task": "reviews"})
    assert not needs_network({"task": "files:rows.csv"})


# ---- the form's address


@pytest.mark.parametrize(
    "form",
    [
        draft(),
        draft(task="reviews", base="sentiment", target=0.3, key_budgets=[1, 2]),
        replace(draft("prune", method="taylor"), vary="method", values="taylor, fisher", title="Mine & more"),
        replace(draft("dense"), parent="train-0123456789ab"),
    ],
)
def test_a_form_comes_back_from_its_address(form: FormDraft) -> None:
    assert FormDraft.from_query(form.query) == form


@pytest.mark.parametrize(
    "query",
    [{}, {"new": ""}, {"new": "../../../../etc"}, {"new": "0" * 13}, {"new": NONCE, "kind": "evil"}],
)
def test_an_address_that_names_no_form_opens_none(query: dict[str, str]) -> None:
    assert FormDraft.from_query(query) is None


def test_what_does_not_fit_is_dropped_from_an_address() -> None:
    query = {
        "new": NONCE, "kind": "dense", "set": '{"seed": "x", "epochs": 2, "target": 0.5}', "vary": "method",
        "from": "../x",
    }  # fmt: skip
    assert FormDraft.from_query(query) == draft("dense", epochs=2.0)
    assert FormDraft.from_query({"new": NONCE, "set": "["}) == draft()


def test_a_form_that_is_too_long_for_an_address_keeps_its_name() -> None:
    form = draft("dense", base="x" * 3000)
    assert form.query == {"new": NONCE, "kind": "dense"}


# ---- filling it in


def test_two_blank_forms_are_not_the_same_form() -> None:
    assert FormDraft.blank().nonce != FormDraft.blank().nonce
    assert {name: FormDraft.blank().params[name] for name in OFFLINE} == dict(OFFLINE)


def test_a_preset_keeps_what_is_trained_on_what() -> None:
    form = draft(task="sst2", base="similarity", data="/data", seed=3).with_preset(PRESETS["rivals"])
    assert form.kind == "prune"
    assert form.params == {
        "task": "sst2", "data": "/data", "checkpoint": "similarity", "target": 0.45, "recover_epochs": 3.0,
    }  # fmt: skip
    assert (form.vary, form.preset) == ("method", "rivals")
    assert [point["method"] for point in form.points()] == list(PRESETS["rivals"].values)


def test_another_kind_keeps_the_settings_that_both_have() -> None:
    form = draft(task="reviews", base="sentiment", target=0.3, seed=3).with_kind("prune")
    assert form.params == {
        "task": "reviews",
        "checkpoint": "sentiment",
        "seed": 3,
        "target": 0.45,
        "recover_epochs": 3.0,
    }
    assert form.with_kind("dense").params == {"task": "reviews", "base": "sentiment", "seed": 3}


@pytest.mark.parametrize(
    ("recipe", "params", "kind"),
    [
        ("train", {"task": "reviews", "base": "sentiment", "target": 0.3}, "incentive"),
        ("train", {"task": "reviews", "base": "sentiment", "price": 2.0}, "incentive"),
        ("train", {"task": "reviews", "base": "sentiment", "seed": 3}, "dense"),
        ("prune", {"task": "reviews", "checkpoint": "sentiment", "method": "taylor"}, "prune"),
        ("rehearsal", {"steps": 7}, "rehearsal"),
    ],
)
def test_the_copy_of_a_run_runs_the_same(recipe: str, params: dict[str, Any], kind: str) -> None:
    spec = new_spec(recipe, params, title="Mine")
    form = FormDraft.of_run("train-0123456789ab", spec)
    assert (form.kind, form.title, form.parent) == (kind, "Mine", "train-0123456789ab")
    points = form.points()
    assert RECIPES[points.recipe].checked(points.params) == spec.params


def test_the_copy_of_a_run_that_no_form_has_begins_blank() -> None:
    form = FormDraft.of_run("evaluate-01234567", RunSpec("evaluate", {"checkpoint": "sentiment"}))
    assert (form.kind, form.params) == ("incentive", FormDraft.blank().params)


def test_a_sweep_of_a_form_is_a_run_for_each_value() -> None:
    form = replace(draft(**OFFLINE, target=0.5), vary="target", values="0.6, 0.3")
    assert list(form.points()) == [{"target": 0.6}, {"target": 0.3}]
    assert len(replace(form, vary="").points()) == 1
    with pytest.raises(CompeconError, match="target"):
        replace(form, values="0.6, 2").points()


# ---- what it will take


def test_what_is_expected_is_said_as_ranges_with_what_is_free() -> None:
    one = Expected(60.0, 120.0, 240.0, 2_000_000_000, 300_000_000, 1e12)
    free = Room(memory=8_000_000_000, disk=90_000_000_000)
    view = estimate_view([one], 1, Speed(runs=3), free)
    lines = dict(view.lines)
    assert (lines["time"], view.warnings) == ("1–4 min", ())
    assert re.findall(r"[\d.]+ [MG]B", lines["memory"] + lines["disk"]) == ["2.0 GB", "8.0 GB", "300 MB", "90.0 GB"]
    assert " 3 " in view.description


def test_runs_of_a_sweep_take_turns_and_keep_all_they_write() -> None:
    one = Expected(60.0, 120.0, 240.0, 2_000_000_000, 300_000_000, 1e12)
    lines = dict(estimate_view([one, one], 6, Speed(), Room(8_000_000_000, 90_000_000_000)).lines)
    assert lines["time"].startswith("6–24 min ")
    assert "1.8 GB" in lines["disk"]


def test_what_is_missing_is_warned_of() -> None:
    one = Expected(None, None, None, 2_000_000_000, 300_000_000, None, unknown="Unknown.")
    view = estimate_view([one], 1, Speed(), Room(1_000_000_000, 400_000_000))
    assert dict(view.lines)["time"] == "Unknown."
    assert [warning.split()[0] for warning in view.warnings] == ["About", "Up"]


# ---- what came of it


def test_examples_are_told_with_what_they_are_sorted_by() -> None:
    row = {"text": "good", "pair": "film", "target": "yes", "prediction": 0.25, "loss": 0.1}
    value = {"split": "dev", "parent": "sentiment", "loss": "nats", "best": [row, {"text": ""}, 3], "worst": None}
    view = examples_view(value)
    assert (view.best, view.worst) == ((ExampleRow("good | film", "yes", "0.25", "", 0.1, None),), ())
    assert all(word in view.description for word in ("sentiment", "nats", "dev"))
    assert (examples_view({}).best, examples_view({}).worst) == ((), ())


def test_metrics_are_exported_step_by_step(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        '{"stage": "a", "step": 1, "total": 2, "task": 0.5}\n{"event": "attempt"}\n'
        '{"stage": "b, c", "step": 1, "total": 9, "price": null}\n'
    )
    history = History(path)
    history.read_on()
    assert metrics_csv(history) == 'stage,step,total,task,price\na,1,2,0.5,\n"b, c",1,9,,\n'
