"""What a run says it achieved: both models on the same rows, in numbers, a sentence and examples."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
import torch

from compecon.callbacks import Callbacks, StepCallbacks
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import TrainingInterruptedError
from compecon.evaluation.against_parent import Against, Compared, sentence
from compecon.evaluation.changed_rows import ROWS, examples
from compecon.evaluation.evaluate_model import Evaluation
from compecon.evaluation.predict_rows import predict
from compecon.flops import forward_macs
from compecon.latency import LatencyRatio
from compecon.runs.jobs import background
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.run_paths import RunPaths
from compecon.tasks.encode_rows import encode
from compecon.tasks.language_task import Document, LanguageTask
from compecon.tasks.task import Split, Task
from compecon.tasks.task_metrics import Estimate, accuracy, paired, perplexity, spearman
from compecon.tasks.task_registry import read_task
from tests.support.tokenizers import LOADER, in_this_process

pytestmark = pytest.mark.slow

QUICK = {"steps": 4, "batch_size": 8, "precision": "float32", "device": "cpu", "save_every": 2, "max_tokens": 32}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(LOADER, in_this_process)
    monkeypatch.setattr("compecon.evaluation.against_parent._ROUNDS", 4)


@pytest.fixture
def place(tmp_path):
    return RunPaths(tmp_path / "result" / "run", tmp_path / "work", tmp_path)


def run(name, place, callbacks=None, **params):
    recipe = RECIPES[name]
    return recipe.run(recipe.checked({**QUICK, **params}), place, callbacks or Callbacks())


def said(folder, task, split):
    """What a checkpoint predicts, and its logits in the order of the task's labels."""
    checkpoint, part = load_checkpoint(folder, "cpu"), task.part(split)
    logits = predict(checkpoint.model, checkpoint.tokenizer, encode(checkpoint.tokenizer, part, 32)).numpy()
    logits = logits[:, [checkpoint.labels.index(label) for label in task.labels]]
    return logits.argmax(1), logits


def test_a_training_is_measured_against_its_parent_on_the_same_rows(place, rule, parent):
    notes = []
    results = run("train", place, Callbacks(note=notes.append), task=rule, base=parent(), target=0.5)
    task = read_task(rule)
    targets = task.part("test").targets
    (before, _), (after, _) = (said(folder, task, "test") for folder in (parent("again"), place.checkpoint))
    assert results["metric"]["value"] == pytest.approx(np.mean(after == targets))
    assert results["parent_metric"]["value"] == pytest.approx(np.mean(before == targets))
    difference = paired(accuracy, before, after, targets)
    found = results["difference"]
    assert (found["value"], found["low"], found["high"]) == (difference.value, difference.low, difference.high)
    models = [load_checkpoint(folder, "cpu").model for folder in (place.checkpoint, parent("third"))]
    assert [results["macs"], results["parent_macs"]] == [forward_macs(each, results["n_tokens"]) for each in models]
    assert results["latency"]["threads"] == torch.get_num_threads()
    assert results["latency"]["low"] <= results["latency"]["ratio"] <= results["latency"]["high"]
    assert results["share"] <= results["target"] == 0.5
    assert results["estimate"]["steps"] == 4
    assert results["took"]["seconds"] > 0
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert [(note["event"], note["stage"], note["split"]) for note in notes] == [("quality", "incentive", "dev")] * 2
    assert [note["step"] for note in notes][-1] == 4
    assert not place.work.exists()


def test_examples_are_the_rows_whose_loss_changed_most(place, rule, parent):
    run("train", place, task=rule, base=parent())
    told = json.loads((place.notes / "examples.json").read_text())
    task = read_task(rule)
    part = task.part("dev")
    losses = []
    for folder in (parent("again"), place.checkpoint):
        logits = torch.tensor(said(folder, task, "dev")[1], dtype=torch.float64)
        losses.append(torch.nn.functional.cross_entropy(logits, torch.tensor(part.targets), reduction="none").numpy())
    change = losses[1] - losses[0]
    assert (next(iter(told)), told["split"]) == ("schema", "dev")
    for name, sign in (("best", 1), ("worst", -1)):
        order = [i for i in np.argsort(sign * change) if sign * change[i] < 0][:ROWS]
        assert [row["loss"] - row["parent_loss"] for row in told[name]] == pytest.approx(change[order], abs=1e-6)
        assert [row["text"] for row in told[name]] == [part.texts[i] for i in order]
        assert [row["target"] for row in told[name]] == [task.labels[part.targets[i]] for i in order]


def test_nothing_removed_is_not_timed(place, rule, parent):
    results = run("train", place, task=rule, base=parent())
    assert results["latency"] is None
    assert results["macs"] == results["parent_macs"]
    assert "at the same MACs" in results["sentence"]


def test_a_parent_without_a_head_for_the_task_is_not_compared(place, rule, parent):
    results = run("train", place, task=rule, base=parent("other", ("left", "right")))
    assert results["parent_metric"] is results["difference"] is None
    assert "other has no head for opinions" in results["sentence"]
    told = json.loads((place.notes / "examples.json").read_text())
    assert told["parent"] is None
    losses = [row["loss"] for row in told["best"]]
    assert losses == sorted(losses)
    assert told["worst"][0]["loss"] >= losses[-1]


def test_a_pruning_says_what_it_achieved(place, rule, parent):
    params = {key: value for key, value in QUICK.items() if key != "steps"}
    recipe = RECIPES["prune"]
    values = recipe.checked({**params, "task": rule, "checkpoint": parent(), "recover_steps": 3, "method": "random"})
    notes = []
    results = recipe.run(values, place, Callbacks(note=notes.append))
    assert results["share"] <= 0.5
    assert results["price"] is results["met"] is None
    assert results["latency"]["ratio"] > 0
    assert [(note["stage"], note["step"]) for note in notes] == [("recovery", 0), ("recovery", 3)]


def test_an_evaluation_writes_nothing(rule, parent, tmp_path):
    recipe, folder = RECIPES["evaluate"], parent()
    params = recipe.checked({"checkpoint": folder, "task": rule, "keys": 2, "device": "cpu", "max_tokens": 32})
    before = sorted(tmp_path.rglob("*"))
    results = recipe.run(params, RunPaths(tmp_path / "a", tmp_path / "b", tmp_path / "c"), Callbacks())
    assert sorted(tmp_path.rglob("*")) == before
    assert results["metrics"]["accuracy"]["n"] == 24
    assert results["policy"] == "top-k"


def test_left_and_resumed_it_ends_in_the_same_weights(place, rule, parent, tmp_path):
    base = parent()
    straight = RunPaths(tmp_path / "straight" / "run", tmp_path / "w2", tmp_path)
    run("train", straight, task=rule, base=base, target=0.5)
    for _ in range(2):
        steps = []
        watch = StepCallbacks(report=steps.append, stop=lambda steps=steps: len(steps) >= 1)
        with pytest.raises(TrainingInterruptedError):
            run("train", place, Callbacks(watch=watch), task=rule, base=base, target=0.5)
    run("train", place, task=rule, base=base, target=0.5)
    one, other = (load_checkpoint(each.checkpoint, "cpu").model.state_dict() for each in (straight, place))
    assert all(torch.equal(part, other[name]) for name, part in one.items())


@pytest.mark.parametrize("lost", [False, True], ids=["whole", "before it was noted"])
def test_an_end_right_after_the_checkpoint_is_finished(place, rule, parent, monkeypatch, lost):
    base = parent()
    with monkeypatch.context() as patch:
        patch.setattr(background, "compare_with_parent", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run("train", place, task=rule, base=base)
    if lost:
        (place.notes / "spent.json").unlink()
        shutil.rmtree(place.work, ignore_errors=True)
        place.work.mkdir()
    monkeypatch.setattr(background, "train", lambda *_, **__: pytest.fail("trained again"))
    results = run("train", place, task=rule, base=base)
    assert results["metric"]["n"] == 24
    assert (results["took"] is None) is lost
    assert not place.work.exists()


# ---- the sentence


def against(metric=accuracy, value=0.859, difference=(0.002, -0.006, 0.01), macs=0.45, time=(0.51, 0.49, 0.53)):
    ratio = None if time is None else LatencyRatio(1.0, time[0], *time, 10, 1, "cpu")
    change = None if difference is None else Estimate(*difference, 100)
    return sentence(Against("sst2", "test", metric, Estimate(value, 0.0, 1.0, 100), "sentiment", change, macs, ratio))


def test_a_difference_whose_interval_holds_0_is_none():
    assert against() == (
        "Accuracy 85.9% on sst2 test, no clear difference from sentiment (+0.2 points, 95% interval −0.6 to +1.0), at "
        "0.45 of its MACs and 0.51 of its time."
    )


def test_a_difference_that_is_one_has_its_direction():
    assert "1.2 points above sentiment (95% interval +0.4 to +2.0)" in against(difference=(0.012, 0.004, 0.02))
    assert "1.2 points below sentiment (95% interval −2.0 to −0.4)" in against(difference=(-0.012, -0.02, -0.004))


def test_where_less_is_better_it_is_said():
    text = against(perplexity, 20.12, (-1.34, -1.6, -1.0))
    assert "20.1 (lower is better)" in text
    assert "1.3 below sentiment (95% interval −1.6 to −1.0)" in text
    assert "points" not in text


def test_a_correlation_is_no_percentage():
    assert "84.4 on" in against(spearman, 0.844)


def test_no_ratio_is_given_for_times_without_a_clear_difference():
    assert "0.98" not in against(time=(0.98, 0.9, 1.1))


@pytest.mark.parametrize("word", ["better than", "worse than", "nan"])
@pytest.mark.parametrize("difference", [None, (0.1, -0.1, 0.2), (math.nan,) * 3, (0.1, 0.05, 0.2)])
def test_no_sentence_claims_more_than_was_measured(word, difference):
    assert word not in against(difference=difference)
    assert word not in against(spearman, math.nan, difference=difference)


# ---- other kinds of tasks


def evaluation(predictions, targets, losses):
    return Evaluation({}, np.asarray(predictions), np.asarray(targets), np.asarray(losses), 3)


def test_texts_are_cut_and_a_language_model_predicts_no_label():
    documents = tuple(Document("x" * 1000, 10) for _ in range(3))
    task = LanguageTask("prose", {"dev": documents})
    new, old = evaluation([30, 20, 10], [10] * 3, [3.0, 2.0, 1.0]), evaluation([20, 20, 20], [10] * 3, [2.0, 2.0, 2.0])
    told = examples(Compared(task, "dev", new, old), "old")
    assert [len(row["text"]) for row in told["best"] + told["worst"]] == [500, 500]  # the middle one did not change
    assert told["best"][0]["loss"] == 1.0
    assert told["best"][0]["prediction"] is None
    assert told["loss"] == "nats a token"


def test_scores_are_numbers_and_pairs_have_both_texts():
    part = Split(("a", "b"), ("c", "d"), np.array([1.0, 2.0]))
    task = Task("pairs", "regression", ("score",), {"dev": part}, (spearman,))
    new, old = evaluation([1.0, 3.0], part.targets, [0.0, 1.0]), evaluation([2.0, 2.5], part.targets, [1.0, math.nan])
    told = examples(Compared(task, "dev", new, old), "old")
    assert told["best"] == [
        {
            "text": "a",
            "pair": "c",
            "target": 1.0,
            "prediction": 1.0,
            "parent_prediction": 2.0,
            "loss": 0.0,
            "parent_loss": 1.0,
        }
    ]
    assert told["worst"] == []  # a loss that is none changed by nothing that can be told
