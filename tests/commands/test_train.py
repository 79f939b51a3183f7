"""`compecon train`: what it makes, what it says where, and what it refuses."""

import json
import shlex
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from compecon.checkpoints.catalog import list_checkpoints
from compecon.checkpoints.load import load_checkpoint
from compecon.flops import forward_macs
from compecon.training.trainer import IncentiveTrainer
from compecon.views.frontier.card_points import checkpoint_points
from compecon.views.frontier.size_points import export_command

pytestmark = pytest.mark.slow

SHORT = ("--steps", "8", "--batch-size", "8", "--precision", "float32", "--device", "cpu")


@pytest.fixture
def train(compecon, task, parent, tmp_path):
    """Train the tiny parent on the tiny task: exit code, stdout, stderr."""

    def run(*arguments, base=parent, on=task, out=tmp_path / "out"):
        return compecon("train", "--task", on, "--base", base, "--out", out, *SHORT, *arguments)

    return run


def one_sentence(err):
    """The last line, if it is the only one that is no progress."""
    lines = [line for line in err.splitlines() if line.startswith("compecon: ")]
    assert len(lines) == 1
    return lines[0]


def test_without_a_target_or_price_the_model_stays_as_large(train, tmp_path):
    code, out, err = train()
    assert code == 0
    assert "1.000 of dense; 1.000 of those of heads and neurons" in out
    assert "rule test: accuracy " in out
    assert "[" in out.splitlines()[0]
    assert f"saved: {tmp_path / 'out'}" in out
    assert "8 steps" in err
    assert "dense: step 8 of 8" in err
    assert not (tmp_path / "out.training").exists()


def test_json_is_one_object_and_nothing_else(train, tmp_path):
    code, out, _ = train("--target-macs", "0.5", "--json")
    found = json.loads(out)
    assert code == 0
    small, parent = load_checkpoint(tmp_path / "out", "cpu"), load_checkpoint(tmp_path / "parent", "cpu")
    assert found["share"] <= 0.5
    assert found["macs"] == forward_macs(small.model, found["n_tokens"]) < found["dense_macs"]
    assert found["dense_macs"] == forward_macs(parent.model, found["n_tokens"])
    assert found["metrics"]["test"]["accuracy"]["n"] == 16
    assert found["estimate"]["steps"] == 8
    assert found["took"]["disk_bytes"] == sum(path.stat().st_size for path in (tmp_path / "out").rglob("*"))
    assert found["took"]["peak_bytes"] > 0
    assert found["price"] is not None


def test_an_elastic_training_tells_every_size_and_each_can_be_exported(train, compecon, tmp_path):
    code, out, _ = train("--elastic", "1,0.7,0.5", "--json")
    found = json.loads(out)
    assert code == 0
    assert [size["budget"] for size in found["sizes"]] == [1, 0.7, 0.5]
    assert all(size["share"] <= size["budget"] for size in found["sizes"])
    assert found["share"] == found["sizes"][0]["share"]
    whole = load_checkpoint(tmp_path / "out", "cpu")
    for size in found["sizes"]:
        assert size["macs"] == forward_macs(whole.at(size["budget"]).model, found["n_tokens"])
    points = checkpoint_points(list_checkpoints([tmp_path / "out"])).points
    on_frontier = {point.budget: point for point in points if point.budget is not None}
    for size in found["sizes"]:
        assert on_frontier[size["budget"]].costs["macs"].value == size["macs"]
    _, command, source, _, *budget = shlex.split(export_command(on_frontier[0.5]))
    assert compecon(command, source, tmp_path / "half", *budget)[0] == 0
    half = load_checkpoint(tmp_path / "half", "cpu")
    assert forward_macs(half.model, found["n_tokens"]) == found["sizes"][-1]["macs"]
    code, _, err = compecon("export", tmp_path / "out", tmp_path / "less", "--budget", "0.3")
    assert code == 1
    assert "from 0.5, the smallest that was trained" in one_sentence(err)
    assert not (tmp_path / "less").exists()


def test_a_fixed_price_is_enough(train):
    code, out, _ = train("--price", "0.5", "--units", "heads", "--schedule", "cosine", "--json")
    assert code == 0
    assert json.loads(out)["target"] is None


def test_a_cost_that_removes_no_work_leaves_the_model_as_large(train):
    code, out, _ = train("--price", "0.5", "--cost", "group-lasso", "--json")
    assert code == 0
    assert json.loads(out)["share"] == 1


def test_a_checkpoint_without_a_head_for_the_task_learns_it_first(train, classifier):
    code, out, err = train("--target-macs", "0.6", "--hidden-weight", "0.1", base=classifier("other", ("a", "b", "c")))
    assert code == 0
    assert "it learns the task first" in err
    assert err.index("dense: step 8 of 8") < err.index("incentive: step 1 of 8")
    assert "16 steps" in err
    assert "price: " in out


def test_a_head_with_its_labels_in_another_order_is_known(train, classifier, tmp_path):
    swapped = classifier("swapped", ("yes", "no"))
    code, _, err = train(base=swapped)
    assert code == 0
    assert "learns the task first" not in err
    assert load_checkpoint(tmp_path / "out", "cpu").labels == ("yes", "no")


@pytest.mark.parametrize("arguments", [(), ("--target-macs", "0.5", "--hidden-weight", "0.5")], ids=["dense", "priced"])
def test_a_language_model_learns_from_windows(compecon, causal, articles, tmp_path, arguments):
    begin = ("train", "--task", "wikitext-2", "--data", articles, "--base", causal, "--out", tmp_path / "out", "--json")
    code, out, _ = compecon(*begin, *SHORT, *arguments)
    found = json.loads(out)
    assert code == 0
    assert found["n_tokens"] == 16  # all that the model can read
    assert set(found["metrics"]["test"]) == {"perplexity", "perplexity by word"}
    assert found["share"] <= (0.5 if arguments else 1)
    assert load_checkpoint(tmp_path / "out", "cpu").kind == "causal-lm"


def test_a_causal_model_without_a_padding_token_learns_to_classify(train, causal):
    assert train(base=causal)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target-macs", "0"), "(0, 1]"),
        (("--target-macs", "1.5"), "(0, 1]"),
        (("--target-macs", "0.5", "--price", "1"), "not both"),
        (("--cost", "latency"), "--cost: needs a target or a price"),
        (("--price", "-1"), "at least 0"),
        (("--target-macs", "0.5", "--cost", "money"), "money"),
        (("--target-macs", "0.5", "--cost", "ffn-l1"), "removes no work"),
        (("--precision", "int4"), "int4"),
        (("--learning-rate", "-1"), "above 0"),
        (("--hidden-weight", "1"), "teacher"),
        (("--teacher-share", "2"), "[0, 1]"),
        (("--max-tokens", "1"), "--max-tokens"),
        (("--key-budgets", "one"), "one"),
        (("--elastic", "1"), "--elastic: must be two or more falling shares"),
        (("--elastic", "0.5,1"), "two or more falling shares"),
        (("--elastic", "1,0"), "above 0"),
        (("--elastic", "1,nan"), "finite"),
        (("--elastic", "1,half"), "half"),
        (("--elastic", "1,0.5", "--target-macs", "0.5"), "neither a target nor a price"),
        (("--elastic", "1,0.5,0.4", "--steps", "2"), "--steps: must be at least 3"),
        (("--last-start", "0.2"), "needs elastic sizes"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_wrong_usage_is_told_before_anything_happens(train, tmp_path, arguments, said):
    code, out, err = train(*arguments)
    assert code == 2
    assert said in " ".join(err.replace("│", " ").split())
    assert out == ""
    assert not (tmp_path / "out").exists()


def test_an_unknown_task_is_wrong_usage(train):
    code, out, err = train(on="sst3")
    assert (code, out) == (2, "")
    assert "no task is called 'sst3'" in err


def test_tensorboard_has_to_be_there(train, monkeypatch):
    monkeypatch.setattr("compecon.runs.jobs.options.find_spec", lambda _: None)
    code, _, err = train("--report-to", "tensorboard")
    assert code == 2
    assert "pip install tensorboard" in err


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("files:nowhere.csv", "nowhere.csv"),
        ("files:FOLDER?label=mark", "mark"),
        ("files:FOLDER?text=words", "words"),
    ],
)
def test_a_task_that_cannot_be_read_is_one_sentence(train, task, on, said):
    code, out, err = train(on=on.replace("files:FOLDER", task))
    assert code == 1
    assert said in one_sentence(err)
    assert out == ""


def test_a_task_without_rows_to_learn_from_is_one_sentence(train, task):
    for name in ("train", "dev"):
        Path(task.removeprefix("files:"), f"{name}.csv").unlink()
    code, _, err = train()
    assert code == 1
    assert "no train rows" in one_sentence(err)


def test_a_text_task_and_a_language_task_are_told_apart(compecon, parent, articles, tmp_path):
    begin = ("train", "--task", "wikitext-2", "--data", articles, "--base", parent, "--out", tmp_path / "out")
    code, _, err = compecon(*begin, *SHORT)
    assert code == 1
    assert "needs a model of kind causal-lm" in one_sentence(err)


def test_a_compacted_checkpoint_has_no_target(train, tmp_path):
    assert train("--target-macs", "0.5")[0] == 0
    code, _, err = train("--target-macs", "0.5", base=tmp_path / "out", out=tmp_path / "smaller")
    assert code == 1
    assert "compacted already" in one_sentence(err)
    assert train(base=tmp_path / "out", out=tmp_path / "longer")[0] == 0


def test_an_unknown_checkpoint_is_one_sentence(train):
    code, _, err = train(base="no-such-checkpoint")
    assert code == 1
    assert "no-such-checkpoint" in one_sentence(err)


def test_a_folder_with_content_is_left_alone(train, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    code, _, err = train()
    assert code == 1
    assert "has content already" in one_sentence(err)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_full_disk_is_told_before_the_training(train, monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("compecon.training.estimate.shutil.disk_usage", lambda _: usage(10, 10, 0))
    code, _, err = train("--save-every", "2")
    assert code == 1
    assert "are free in" in one_sentence(err)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.training").exists()


def test_a_loss_that_is_not_finite_leaves_the_last_good_checkpoint(train, monkeypatch, tmp_path):
    before = IncentiveTrainer.compute_loss

    def broken(self, model, inputs, *rest, **more):
        if self.state.global_step == 5:
            with torch.no_grad():
                model.classifier.weight.fill_(torch.nan)
        return before(self, model, inputs, *rest, **more)

    monkeypatch.setattr(IncentiveTrainer, "compute_loss", broken)
    code, out, err = train("--save-every", "2")
    assert code == 1
    assert "not finite at step 6" in one_sentence(err)
    assert f"in {tmp_path / 'out.training'}" in one_sentence(err)
    assert out == ""
    assert (tmp_path / "out.training" / "dense" / "checkpoint-4").is_dir()
    assert not (tmp_path / "out").exists()


def test_a_price_that_diverges_is_one_sentence(train, tmp_path):
    code, _, err = train("--target-macs", "0.2", "--ramp", "0", "--price-rate", "1e9")
    assert code == 1
    assert "price of compute diverged" in one_sentence(err)
    assert not (tmp_path / "out").exists()


def test_float16_without_a_gpu_is_one_sentence(train):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    code, _, err = train("--precision", "float16")
    assert code == 1
    assert "float16" in one_sentence(err) or "fp16" in one_sentence(err)
