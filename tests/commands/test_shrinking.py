"""`compecon prune`, `compecon compact` and `compecon export`: smaller checkpoints, and the same elsewhere."""

import json

import pytest
import torch

from compecon.checkpoints.load import load_checkpoint
from compecon.compression.compact_model import kept_heads
from compecon.compression.scaled import scaled
from compecon.compression.units import Units
from compecon.training.removal import SAMPLE

pytestmark = pytest.mark.slow

TRAINING = ("--batch-size", "8", "--precision", "float32", "--device", "cpu")


@pytest.fixture
def prune(compecon, task, parent, tmp_path):
    def run(*arguments, base=parent):
        begin = ("prune", base, "--task", task, "--out", tmp_path / "out", "--target-macs", "0.5")
        return compecon(*begin, *TRAINING, *arguments)

    return run


@pytest.mark.parametrize("method", ["random", "magnitude", "uniform", "taylor", "fisher"])
def test_every_method_meets_the_target(prune, tmp_path, method):
    code, out, _ = prune("--method", method, "--json")
    found = json.loads(out)
    assert code == 0
    assert 0.3 < found["share"] <= 0.5
    assert found["estimate"]["steps"] == 0
    assert found["macs"] < found["dense_macs"]
    assert load_checkpoint(tmp_path / "out", "cpu").preflight.architecture.startswith("Compact")


@pytest.mark.parametrize("recovery", [("--recover-epochs", "0.5"), ("--recover-steps", "4")])
def test_recovery_trains_what_is_left(prune, recovery):
    code, out, err = prune(*recovery, "--save-every", "2", "--hidden-weight", "0.1")
    assert code == 0
    assert "recovery: step 4 of 4" in err
    assert "rule test: accuracy" in out


def test_a_language_model_is_pruned_too(compecon, causal, articles, tmp_path):
    begin = ("prune", causal, "--task", "wikitext-2", "--data", articles, "--out", tmp_path / "out")
    code, out, _ = compecon(*begin, "--recover-steps", "2", *TRAINING, "--json")
    assert code == 0
    assert json.loads(out)["share"] <= 0.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--method", "guess"), "guess"),
        (("--target-macs", "0"), "(0, 1]"),
        (("--target-macs", "2"), "(0, 1]"),
        (("--recover-epochs", "-1"), "--recover-epochs"),
        (("--recover-steps", "4", "--learning-rate", "0"), "above 0"),
    ],
)
def test_wrong_usage(prune, arguments, said):
    code, _, err = prune(*arguments)
    assert code == 2
    assert said in err


def test_a_checkpoint_has_to_know_the_task(prune, classifier):
    code, _, err = prune(base=classifier("other", ("a", "b", "c")))
    assert code == 1
    assert err.splitlines()[-1].startswith("compecon: other does not know rule: the task has 2 classes")


def test_a_pruned_checkpoint_is_not_pruned_to_a_target_again(prune, tmp_path):
    assert prune()[0] == 0
    code, _, err = prune(base=(tmp_path / "out").rename(tmp_path / "small"))
    assert code == 1
    assert "compacted already" in err


def test_named_units_are_gone_and_nothing_else_changed(compecon, parent, tmp_path):
    (tmp_path / "neurons.json").write_text('{"1": [0, 5]}')
    out, more = tmp_path / "out", ("--remove-neurons", tmp_path / "neurons.json", "--json")
    code, text, _ = compecon("compact", parent, "--out", out, "--remove-heads", "0.3, 1.0,1.2", *more)
    found = json.loads(text)
    assert code == 0
    before, after = load_checkpoint(parent, "cpu"), load_checkpoint(out, "cpu")
    assert kept_heads(after.model) == ((0, 1, 2), (1, 3))
    assert found["units"] == [[3, 24], [2, 22]]
    keep = Units.full([(4, 24), (4, 24)], 1.0)
    keep.heads[0][3] = keep.heads[1][0] = keep.heads[1][2] = 0
    keep.neurons[1][[0, 5]] = 0
    batch = before.encode(SAMPLE).batch
    with torch.inference_mode(), scaled(before.model, keep):
        masked = before.model(**batch).logits
    torch.testing.assert_close(after.model(**batch).logits, masked, atol=1e-5, rtol=1e-5)
    assert found["difference"] == pytest.approx(0, abs=1e-5)
    assert found["macs"] < found["macs_before"]


def test_heads_are_named_by_their_first_index_when_some_are_gone(compecon, parent, tmp_path):
    assert compecon("compact", parent, "--out", tmp_path / "one", "--remove-heads", "0.1")[0] == 0
    code, text, _ = compecon("compact", tmp_path / "one", "--out", tmp_path / "two", "--remove-heads", "0.3")
    assert code == 0
    assert "2 and 24, 4 and 24" in text
    assert kept_heads(load_checkpoint(tmp_path / "two", "cpu").model) == ((0, 2), (0, 1, 2, 3))
    code, _, err = compecon("compact", tmp_path / "one", "--out", tmp_path / "three", "--remove-heads", "0.1")
    assert code == 1
    assert "layer 0 has no head 1, only 0, 2, 3" in err


def test_a_language_model_loses_heads_too(compecon, causal, tmp_path):
    assert compecon("compact", causal, "--out", tmp_path / "out", "--remove-heads", "1.0", "--text", "a b")[0] == 0


@pytest.mark.parametrize(
    ("heads", "neurons", "said"),
    [
        ("", None, "no head and no neuron is named"),
        ("0", None, "not layer.head"),
        ("0.x", None, "not layer.head"),
        ("2.0", None, "there is no layer 2"),
        ("0.4", None, "layer 0 has no head 4"),
        ("", '{"0": [24]}', "layer 0 has no neuron 24"),
        ("", '{"5": [1]}', "there is no layer 5"),
        ("", '{"0": ["1"]}', "is not of the form"),
        ("", "[1, 2]", "is not of the form"),
        ("", "{", "is not of the form"),
    ],
)
def test_units_that_are_not_there_are_one_sentence(compecon, parent, tmp_path, heads, neurons, said):
    (tmp_path / "neurons.json").write_text(neurons or "{}")
    more = ("--remove-neurons", tmp_path / "neurons.json") if neurons else ()
    code, out, err = compecon("compact", parent, "--out", tmp_path / "out", "--remove-heads", heads, *more)
    assert (code, out) == (1, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_export_can_hold_an_onnx_file_of_the_same_logits(compecon, parent, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    assert compecon("compact", parent, "--out", tmp_path / "small", "--remove-heads", "0.1,0.2")[0] == 0
    code, out, _ = compecon("export", tmp_path / "small", tmp_path / "copy", "--onnx")
    assert code == 0
    assert out.split() == [str(tmp_path / "copy"), str(tmp_path / "copy" / "model.onnx")]
    checkpoint = load_checkpoint(tmp_path / "copy", "cpu")
    batch = checkpoint.encode("w1 w2 w3").batch
    session = runtime.InferenceSession(tmp_path / "copy" / "model.onnx", providers=["CPUExecutionProvider"])
    [found] = session.run(None, {name: part.numpy() for name, part in batch.items()})
    with torch.inference_mode():
        torch.testing.assert_close(torch.from_numpy(found), checkpoint.model(**batch).logits, atol=1e-5, rtol=1e-5)


def test_without_onnx_nothing_is_exported(compecon, parent, tmp_path, monkeypatch):
    monkeypatch.setattr("compecon.compression.onnx.find_spec", lambda _: None)
    code, out, err = compecon("export", parent, tmp_path / "copy", "--onnx")
    assert (code, out) == (1, "")
    assert "pip install" in err
    assert "onnx" in err
    assert not (tmp_path / "copy").exists()
