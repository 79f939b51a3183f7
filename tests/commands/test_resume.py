"""A training that is interrupted and run again gives what it would have given."""

import signal

import pytest
import torch
from safetensors.torch import load_file

from compecon.commands.progress_bar import ProgressBar

pytestmark = pytest.mark.slow  # each trains a model several times

BEGIN = ("--steps", "8", "--batch-size", "8", "--precision", "float32", "--device", "cpu", "--save-every", "3")


@pytest.fixture
def interrupt(monkeypatch):
    """Have a signal come after a step of a stage, once."""
    report = ProgressBar.report

    def at(stage, step, *, with_signal=signal.SIGINT, times=1):
        pending = [with_signal] * times

        def reporting(self, record):
            report(self, record)
            if self._name == stage and record.step == step and pending:
                while pending:
                    signal.raise_signal(pending.pop())

        monkeypatch.setattr(ProgressBar, "report", reporting)

    return at


@pytest.fixture
def train(compecon, task, parent, tmp_path):
    def run(out, *arguments, base=parent, begin=BEGIN):
        return compecon("train", "--task", task, "--base", base, "--out", tmp_path / out, *begin, *arguments)

    return run


def weights(folder):
    return load_file(folder / "model.safetensors")


def same(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


PRICED = ("--target-macs", "0.5")
EARLY = (*PRICED, "--gate-rate", "5", "--ramp", "0")  # the gates close within the priced steps


@pytest.mark.parametrize(
    ("arguments", "stage", "step"),
    [
        ((), "dense", 5),
        (PRICED, "incentive", 3),
        (PRICED, "incentive", 4),
        (PRICED, "incentive", 6),
        (EARLY, "incentive", 5),
        (("--price", "1", "--cost", "group-lasso"), "incentive", 5),
        (("--elastic", "1,0.7,0.5"), "elastic", 5),
    ],
    ids=[
        "dense",
        "priced",
        "at the end of the priced phase",
        "recovery",
        "after a target met early",
        "relative cost",
        "elastic",
    ],
)
def test_what_was_interrupted_ends_as_if_it_had_not_been(train, interrupt, tmp_path, arguments, stage, step):
    assert train("whole", *arguments)[0] == 0
    interrupt(stage, step)
    code, out, err = train("parts", *arguments)
    assert code == 130
    assert out == ""
    assert err.splitlines()[-1].startswith("compecon: ")
    assert "run the same command again" in err.splitlines()[-1]
    assert not (tmp_path / "parts").exists()
    code, _, err = train("parts", *arguments)
    assert code == 0
    assert f"{stage}: step 1 of" not in err
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    assert not (tmp_path / "parts.training").exists()


def test_a_priced_phase_that_met_its_target_early_is_not_trained_again(train, interrupt, monkeypatch):
    interrupt("incentive", 6)
    assert train("out", *EARLY)[0] == 130
    steps = []
    monkeypatch.setattr(ProgressBar, "report", lambda _self, record: steps.append(record.step))
    assert train("out", *EARLY)[0] == 0
    assert steps == [7, 8]


def test_a_head_learnt_first_is_not_learnt_again(train, interrupt, classifier, tmp_path):
    other = classifier("other", ("a", "b", "c"))
    assert train("whole", *PRICED, base=other)[0] == 0
    interrupt("incentive", 3)
    assert train("parts", *PRICED, base=other)[0] == 130
    code, _, err = train("parts", *PRICED, base=other)
    assert code == 0
    assert "dense: step" not in err
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


def test_an_end_while_measuring_does_not_train_again(train, tmp_path, monkeypatch):
    assert train("whole", *PRICED)[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr("compecon.training.finished.evaluate", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert train("parts", *PRICED)[0] == 130
    code, _, err = train("parts", *PRICED)
    assert code == 0
    assert "step" not in err.partition("disk")[2]
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


def test_a_polite_end_and_a_quick_one_have_the_same_code(train, interrupt):
    interrupt("dense", 5, with_signal=signal.SIGTERM)
    code, _, err = train("polite")
    assert code == 130
    assert "after step 5 of 8" in err
    interrupt("dense", 5, times=2)
    assert train("quick")[0] == 130


def test_without_checkpoints_it_says_that_nothing_was_saved(train, interrupt, tmp_path):
    interrupt("dense", 3)
    code, _, err = train("out", begin=BEGIN[:-2])
    assert code == 130
    assert "nothing was saved" in err.splitlines()[-1]
    assert not (tmp_path / "out.training").exists()


@pytest.mark.parametrize("other", [("--target-macs", "0.6"), ("--target-macs", "0.5", "--seed", "1"), ()])
def test_another_training_does_not_go_on_from_there(train, interrupt, other):
    interrupt("incentive", 3)
    assert train("out", *PRICED)[0] == 130
    code, _, err = train("out", *other)
    assert code == 1
    assert "holds a training with other settings" in err


def test_a_folder_that_is_no_training_is_left_alone(train, tmp_path):
    (tmp_path / "out.training").mkdir()
    (tmp_path / "out.training" / "thesis.txt").write_text("mine")
    code, _, err = train("out")
    assert code == 1
    assert "other than a training" in err
    assert (tmp_path / "out.training" / "thesis.txt").read_text() == "mine"
