"""Elastic training against its rivals, whole, on a tiny task: equal training MACs, equal sizes, paired differences."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from compecon.studies.elastic_arms import ARMS, RIVALS, elastic_family, rival_family
from compecon.studies.elastic_costs import family_volumes, latencies
from compecon.studies.elastic_experiment import differences, run_elastic, write_elastic
from compecon.studies.frontier_plan import FrontierPlan, Study, start_of
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.training_settings import FineTuneSettings

pytestmark = pytest.mark.slow

BRIEF = FineTuneSettings(steps=12, batch_size=8, learning_rate=1e-3, precision="float32", freeze_embeddings=True)
ELASTIC = ElasticSettings(budgets=(1.0, 0.6, 0.4))
PLAN = FrontierPlan(targets=(0.6, 0.4), seeds=(0, 1), dense=replace(BRIEF, steps=12, learning_rate=1e-2), after=BRIEF)


@pytest.fixture(scope="module")
def study(tmp_path_factory, opinions, words, fresh):
    found = Study(opinions, words, fresh, PLAN, tmp_path_factory.mktemp("elastic"), [].append)
    run_elastic(found, ELASTIC)
    return found


def test_every_arm_has_every_budget_and_seed_and_keeps_no_more_than_it_may(study):
    runs = [run for run in study.records.all() if run.arm != "dense"]
    assert {(run.arm, run.target, run.seed) for run in runs} == {
        (arm, budget, seed) for arm in ARMS for budget in PLAN.targets for seed in PLAN.seeds
    }
    assert all(run.target - 0.1 < run.share <= run.target for run in runs if run.arm != "gates")
    assert all(run.share <= run.target for run in runs)
    assert all(run.reloaded for run in runs)


def test_rivals_cost_as_many_training_macs_as_one_elastic_training_and_full_recovery_has_all_steps_for_each_size(study):
    for seed in PLAN.seeds:
        cost = {run.arm: run.training_macs for run in study.records.all() if run.seed == seed}
        for arm in ("apart", "apart taylor", "sequential"):
            assert cost[arm] == pytest.approx(cost["elastic"], rel=0.15)
    assert {run.steps for run in study.records.all() if run.arm == "full"} == {BRIEF.steps}


def test_differences_are_paired_means_over_seeds_and_budgets(study):
    test = study.task.part("test").targets
    found = {(each.rival, each.budgets): each for each in differences(study)}
    assert set(found) == {(rival, (budget,)) for rival in RIVALS for budget in PLAN.targets}
    for (rival, budgets), each in found.items():
        gaps = []
        for seed in PLAN.seeds:
            ours, theirs = (
                next(run for run in study.records.all() if (run.arm, run.seed, run.target) == (arm, seed, *budgets))
                for arm in ("elastic", rival)
            )
            gaps.append(
                study.task.score(study.records.predictions(ours), test).value
                - study.task.score(study.records.predictions(theirs), test).value
            )
        assert each.change.value == pytest.approx(np.mean(gaps))
        assert each.change.low <= each.change.value <= each.change.high


def test_a_finished_experiment_trains_nothing_again(study, monkeypatch):
    monkeypatch.setattr("compecon.studies.elastic_experiment.elastic_family", None)
    run_elastic(study, ELASTIC)


def test_the_report_holds_every_run_and_difference(study):
    numbers, page = write_elastic(study, ELASTIC, study.folder / "report")
    content = json.loads(numbers.read_text())
    assert len(content["runs"]) == len(study.records.all())
    assert len(content["differences"]) == len(differences(study))
    assert all(f"| {arm} |" in page.read_text() for arm in ("dense", *ARMS))


def test_every_size_is_timed_and_the_volume_of_an_arm_is_that_of_its_boxes(study):
    measured = latencies(study)
    first = [run for run in study.records.all() if run.seed == PLAN.seeds[0] and run.target is not None]
    assert {(each.run, each.batch, each.n_tokens) for each in measured} == {
        (run.name, *shape) for run in first for shape in ((8, 64), (1, 32))
    }
    assert all(each.latency.ratio > 0 and 0 < each.macs_ratio < 1 for each in measured)
    volumes = family_volumes(study, measured)
    records, test = study.records.all(), study.task.part("test")
    lowest = max(np.mean(test.targets == label) for label in (0, 1))
    best = np.mean([run.test.value for run in records if run.arm == "dense"])
    dearest = 2 * max(run.training_macs for run in records)
    assert set(volumes) == set(ARMS)
    for arm in ARMS:
        found = []
        for seed in PLAN.seeds:
            runs = [run for run in records if (run.arm, run.seed) == (arm, seed)]
            by_name = {(each.run[: each.run.rindex("-s")], each.batch): each.latency.ratio for each in measured}
            ends = sorted((by_name[run.name[: run.name.rindex("-s")], 8], run.test.value) for run in runs)
            area, height = 0.0, lowest  # from the quickest size on, each adds what is above the ones before
            for time, value in ends:
                area += max(0.0, 1 - time) * max(0.0, value - height)
                height = max(height, value) if time < 1 else height
            found.append(area * (1 - runs[0].training_macs / dearest) / (best - lowest))
        assert volumes[arm] == pytest.approx(np.mean(found))


def test_an_unknown_rival_is_refused(study):
    start = start_of(study, 0)
    with pytest.raises(ValueError, match=r"no rival 'best'.*sequential"):
        rival_family(start, "best", ELASTIC, elastic_family(start, ELASTIC, PLAN.targets))
