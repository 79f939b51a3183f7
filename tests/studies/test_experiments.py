"""The reports in the repository: whole, as their records say, and quoted rightly."""

import json
from statistics import fmean

import pytest

from compecon.paths import assets
from compecon.tasks.task_registry import TASKS

ROOT = assets() / "experiments"
REPORTS = sorted(ROOT.glob("*/report.json"))
RESULTS = (assets() / "guide" / "results.md").read_text(encoding="utf-8")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_both_tasks_of_the_results_have_a_report():
    assert {path.parent.name for path in REPORTS} >= {"sst2", "stsb"}


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_a_report_says_what_it_takes_to_repeat_it(path):
    report = read(path)
    assert report["schema"] == 1
    assert report["task"] in TASKS
    assert report["command"].startswith("compecon experiment frontier --task")
    assert {"torch", "transformers", "python"} <= report["versions"].keys()
    assert report["hardware"]["threads"] >= 1


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_its_tables_follow_from_its_runs(path):
    report = read(path)
    for arm in report["arms"]:
        runs = [
            run
            for run in report["runs"]
            if (run["arm"], run["recovered"], run["target"]) == (arm["arm"], arm["recovered"], arm["target"])
        ]
        assert sorted(run["seed"] for run in runs) == sorted(arm["seeds"])
        assert arm["dev"] == pytest.approx(fmean(run["dev"]["value"] for run in runs), abs=1e-6)
        assert sorted(arm["test"]) == pytest.approx(sorted(run["test"]["value"] for run in runs))


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_every_arm_had_the_same_steps(path):
    assert len({run["steps"] for run in read(path)["runs"] if run["recovered"]}) == 1


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_nobody_kept_more_than_was_asked_for(path):
    assert all(run["share"] <= run["target"] for run in read(path)["runs"] if run["target"] is not None)


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_the_results_quote_its_duels(path):
    for duel in read(path)["duels"]:
        found = duel["difference"]
        value, low, high = (100 * found[name] for name in ("value", "low", "high"))
        assert f"{value:+.1f} [{low:+.1f}, {high:+.1f}]".replace("-", "−") in RESULTS
