"""The frontier experiment, whole, on a tiny task: what runs, what is recorded, what is chosen, what is reported."""

import json
from dataclasses import replace

import numpy as np
import pytest

from compecon.errors import TaskError
from compecon.studies.experiment import floor, frontier_report
from compecon.studies.experiment_report import write_report
from compecon.studies.experiment_run import Records
from compecon.studies.frontier_experiment import best_rivals, run_frontier
from compecon.studies.frontier_plan import FrontierPlan, Study
from compecon.studies.summary import arms_at_targets, difference, duels, volumes
from compecon.tasks.task import Task
from compecon.tasks.task_metrics import accuracy
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

pytestmark = pytest.mark.slow

BRIEF = FineTuneSettings(steps=4, batch_size=8, learning_rate=1e-3, precision="float32", freeze_embeddings=True)
PLAN = FrontierPlan(
    targets=(0.6, 0.4),
    screened=(0.4,),
    prices=(1.0,),
    ablated=(0.8,),
    seeds=(0, 1),
    dense=replace(BRIEF, steps=12, learning_rate=1e-2),
    after=BRIEF,
    incentive=IncentiveSettings(),
    methods=("random", "magnitude", "taylor"),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory, opinions, words, fresh):
    said = []
    found = Study(opinions, words, fresh, PLAN, tmp_path_factory.mktemp("study"), said.append)
    run_frontier(found)
    return found


def of(study, **wanted):
    return [
        record
        for record in study.records.all()
        if all(getattr(record, name) == value for name, value in wanted.items())
    ]


def test_every_arm_spends_the_same_steps(study):
    assert {record.steps for record in study.records.all() if record.recovered} == {BRIEF.steps}
    assert {record.steps for record in study.records.all() if not record.recovered} == {0}


@pytest.mark.parametrize("target", PLAN.targets)
def test_nobody_keeps_more_than_was_asked_for(study, target):
    shares = [record.share for record in of(study, target=target)]
    assert shares
    assert max(shares) <= target
    assert min(shares) > target - 0.1


def test_the_incentive_runs_at_every_target_and_seed(study):
    pairs = {(record.seed, record.target) for record in of(study, arm="incentive")}
    assert pairs == {(seed, target) for seed in PLAN.seeds for target in PLAN.targets}


def test_an_ablation_leaves_alone_what_has_no_gates(study):
    runs = {record.arm: record for record in of(study, target=0.8)}
    assert set(runs) == {"incentive heads", "incentive neurons", "incentive both"}
    [dense] = of(study, arm="dense", seed=0)
    assert runs["incentive heads"].neurons == dense.neurons
    assert runs["incentive neurons"].heads == dense.heads
    assert all(0.7 < record.share <= 0.8 for record in runs.values())


def test_an_ablation_adds_nothing_to_the_volumes(study):
    known = volumes(study.records.all(), 0.5)
    assert {volume.arm for volume in known} <= {"incentive", *PLAN.methods}
    assert "incentive" in {volume.arm for volume in known}


def test_all_rivals_are_screened_and_two_go_on(study):
    assert {record.arm for record in of(study, seed=0, target=0.4)} == {"incentive", *PLAN.methods}
    best = best_rivals(study.records.all(), 0, (0.4,))
    assert len(best) == 2
    assert {record.arm for record in of(study, seed=1, target=0.6)} == {"incentive", *best}


def test_rivals_are_chosen_by_dev_alone(study):
    records = [replace(record, test=replace(record.test, value=0.0)) for record in study.records.all()]
    assert best_rivals(tuple(records), 0, (0.4,)) == best_rivals(study.records.all(), 0, (0.4,))


def test_a_price_leaves_a_mark_and_a_control(study):
    for record in of(study, arm="incentive"):
        assert record.price > 0
        assert 0 <= record.survivors.dense.gini <= 1


def test_what_has_a_record_is_not_run_again(study):
    def never(_seed):
        raise AssertionError("a model was asked for")

    again = replace(study, fresh=never)
    assert run_frontier(again) == study.records.all()


def test_an_interrupted_experiment_runs_what_is_missing(study):
    before = {record.name: record for record in study.records.all()}
    lost = of(study, arm="taylor", seed=0, target=0.4, recovered=True)[0]
    (study.records.folder / f"{lost.name}.json").unlink()
    after = {record.name: record for record in run_frontier(study)}
    assert after.keys() == before.keys()
    assert after[lost.name].test == lost.test, "the same seed gives the same model"


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "dense-once-s0.json").write_text("{")
    with pytest.raises(ValueError, match=r"dense-once-s0\.json"):
        Records(tmp_path).all()


def test_a_task_without_a_split_is_refused_first(study, opinions):
    lacking = Task("opinions", "classification", opinions.labels, {"test": opinions.splits["test"]}, (accuracy,))
    with pytest.raises(TaskError, match="no train rows"):
        run_frontier(replace(study, task=lacking))


def test_a_difference_is_that_of_the_mean_accuracies(study, opinions):
    targets = opinions.splits["test"].targets
    first, second = of(study, arm="dense"), of(study, arm="incentive", target=0.4)
    found = difference(study.records, first, second, accuracy, targets)
    means = [np.mean([record.test.value for record in group]) for group in (first, second)]
    assert found.value == pytest.approx(means[1] - means[0])
    assert found.low <= found.value <= found.high


def test_the_rival_of_a_duel_is_the_best_by_test(study, opinions):
    for duel in duels(study.records, accuracy, opinions.splits["test"].targets):
        mean = {
            arm: np.mean([record.test.value for record in of(study, arm=arm, target=duel.target, recovered=True)])
            for arm in PLAN.methods
            if len(of(study, arm=arm, target=duel.target, recovered=True)) == duel.seeds
        }
        assert mean[duel.rival] == max(mean.values())


def test_a_hypervolume_of_one_point_is_a_rectangle(study):
    record = replace(of(study, arm="incentive", seed=0, target=0.4)[0], share=0.25)
    record = replace(record, test=replace(record.test, value=0.9))
    (volume,) = volumes([record], 0.5)
    assert volume.mean == pytest.approx(0.75 * 0.4)


def test_the_floor_is_the_share_of_the_commonest_class(opinions):
    share = opinions.splits["test"].targets.mean()
    assert floor(opinions, opinions.splits["test"]) == pytest.approx(max(share, 1 - share))


def test_the_report_holds_every_run_and_reads_as_json(study, tmp_path, opinions):
    report = frontier_report(study)
    numbers, page = write_report(report, accuracy, tmp_path)
    content = json.loads(numbers.read_text())
    assert len(content["runs"]) == len(study.records.all())
    assert content["settings"]["targets"] == [0.6, 0.4]
    assert {one["batch"] for one in content["measured"]} == {1, 8}
    for arm in arms_at_targets(study.records, accuracy, opinions.splits["test"].targets):
        assert f"| {arm.arm} |" in page.read_text()
