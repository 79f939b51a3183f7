"""`compecon evaluate`: the numbers, the budget, and who is measured on what."""

import json
import math
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention
from compecon.attention.policies.first_k import FirstK
from compecon.callbacks import StepRecord
from compecon.checkpoints.load import load_checkpoint
from compecon.commands.progress_bar import ProgressBar
from compecon.tasks.rows import chosen_rows
from compecon.tasks.task_metrics import accuracy, perplexity
from compecon.tasks.task_registry import read_task


@pytest.fixture
def evaluate(compecon, task, parent):
    def run(*arguments, checkpoint=parent, on=task):
        code, out, err = compecon("evaluate", checkpoint, "--task", on, *arguments)
        assert code == 0 or out == ""
        return code, out, err

    return run


def said_one_by_one(folder, task):
    checkpoint, part = load_checkpoint(folder, "cpu"), read_task(task).part("test")
    with torch.inference_mode():
        logits = [checkpoint.model(**checkpoint.tokenizer(text, return_tensors="pt")).logits[0] for text in part.texts]
    return torch.stack(logits).argmax(-1).numpy(), part.targets


def test_the_metrics_are_those_of_each_text_alone(evaluate, parent, task):
    code, out, _ = evaluate("--json")
    found = json.loads(out)
    assert code == 0
    expected = accuracy(*said_one_by_one(parent, task))
    assert found["metrics"]["accuracy"] == {
        "value": expected.value,
        "low": expected.low,
        "high": expected.high,
        "n": expected.n,
    }
    assert set(found["metrics"]) == {metric.name for metric in read_task(task).metrics}
    assert found["split"] == "test"


@pytest.mark.parametrize("arguments", [("--keys", "2"), ("--share", "0.5")])
def test_a_budget_holds_and_its_price_is_told(evaluate, parent, task, arguments):
    budget = KeyBudget(2) if arguments[0] == "--keys" else KeyBudget(share=0.5)
    checkpoint, part = load_checkpoint(parent, "cpu"), read_task(task).part("dev")
    with torch.inference_mode(), budgeted_attention(checkpoint.model, budget, FirstK()):
        logits = [checkpoint.model(**checkpoint.tokenizer(text, return_tensors="pt")).logits[0] for text in part.texts]
    expected = accuracy(torch.stack(logits).argmax(-1).numpy(), part.targets)
    code, out, _ = evaluate(*arguments, "--policy", "first", "--split", "dev")
    assert code == 0
    assert f"rule dev: accuracy {accuracy.shown(expected)}" in out
    assert "masking saves reads, not time" in out
    assert "MACs: " in out


def test_a_head_in_another_order_is_read_by_name(evaluate, parent, classifier):
    swapped = classifier("swapped", ("yes", "no"))
    tensors = load_file(swapped / "model.safetensors")
    flipped = {name: part.flip(0) if name.startswith("classifier.") else part for name, part in tensors.items()}
    save_file(
        {name: part.contiguous() for name, part in flipped.items()}, swapped / "model.safetensors", {"format": "pt"}
    )
    one, other = (json.loads(evaluate("--json", checkpoint=each)[1]) for each in (parent, swapped))
    assert one["metrics"] == other["metrics"]


def test_a_language_model_has_perplexities(evaluate, causal, articles):
    code, out, _ = evaluate("--data", articles, "--json", checkpoint=causal, on="wikitext-2")
    found, checkpoint = json.loads(out), load_checkpoint(causal, "cpu")
    assert code == 0
    assert checkpoint.model.config.n_positions == 16
    documents = read_task("wikitext-2", articles).part("test")
    nats, n_tokens = [], []
    for document in documents:  # every token after half a window, from at least half a window
        ids = checkpoint.tokenizer(document.text)["input_ids"]
        stream, total = [0, *ids], 0.0
        for at in range(1, len(stream)):
            begin = 0 if at < 16 else 8 * ((at - 8) // 8)
            with torch.inference_mode():
                logits = checkpoint.model(torch.tensor([stream[begin:at]])).logits[0, -1]
            total -= float(logits.double().log_softmax(-1)[stream[at]])
        nats.append(total)
        n_tokens.append(len(ids))
    expected = perplexity(np.array(nats), np.array(n_tokens))
    assert found["metrics"]["perplexity"]["value"] == pytest.approx(expected.value, rel=1e-5)
    words = np.array([document.words for document in documents])
    assert found["metrics"]["perplexity by word"]["value"] == pytest.approx(perplexity(np.array(nats), words).value)


def test_a_number_that_is_none_is_null_in_json(evaluate, classifier, tmp_path):
    table = tmp_path / "scores.csv"
    table.write_text("text,label\n" + "".join(f"w{i % 20} w{i % 7},{i / 7:.3f}\n" for i in range(60)))
    constant = classifier("constant", ("score",), problem_type="regression")
    tensors = load_file(constant / "model.safetensors")
    tensors["classifier.weight"].zero_()
    save_file(tensors, constant / "model.safetensors", {"format": "pt"})
    code, out, _ = evaluate("--json", checkpoint=constant, on=f"files:{table}")
    assert code == 0
    assert json.loads(out)["metrics"]["spearman"]["value"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keys", "0"), "--keys"),
        (("--share", "1.5"), "(0, 1]"),
        (("--keys", "2", "--share", "0.5"), "either keys or share"),
        (("--policy", "best"), "top-k"),
    ],
)
def test_wrong_usage(evaluate, arguments, said):
    code, _, err = evaluate(*arguments)
    assert code == 2
    assert said in err


def test_a_split_that_is_not_there_is_one_sentence(evaluate):
    code, _, err = evaluate("--split", "unseen")
    assert code == 1
    assert err.splitlines()[1:] == ["compecon: rule has no unseen rows here, only train, dev, test."]


def test_labels_outside_the_head_are_one_sentence(evaluate, task):
    path = Path(task.removeprefix("files:"), "test.csv")
    path.write_text(path.read_text() + "w1 w2,maybe\n")
    code, _, err = evaluate()
    assert code == 1
    [_, said] = err.splitlines()
    assert said.startswith(
        "compecon: the task has 3 classes (maybe, no, yes) and the model's head 2 outputs (no, yes)."
    )


def test_a_classifier_is_not_measured_by_perplexity(evaluate, articles):
    code, _, err = evaluate("--data", articles, on="wikitext-2")
    assert code == 1
    assert all(kind in err for kind in ("causal-lm", "classification"))


def test_what_was_cut_is_said_and_kept(evaluate, parent, task):
    code, out, _ = evaluate("--max-tokens", "3")
    assert code == 0
    part, tokenizer = read_task(task).part("test"), load_checkpoint(parent, "cpu").tokenizer
    n_cut = sum(len(tokenizer(text)["input_ids"]) > 3 for text in part.texts)
    assert n_cut > 0
    assert f"{n_cut} of {len(part)} texts were cut to their first 3 tokens" in out
    found = json.loads(evaluate("--max-tokens", "3", "--json")[1])
    assert found["recalled"] == 1
    assert (found["cut"]["n_cut"], found["evaluations"][0]["cut"]) == (n_cut, found["cut"])


@pytest.mark.parametrize("command", ["evaluate", "statistics"])
def test_what_was_measured_in_one_order_of_classes_is_not_that_of_another(
    compecon, parent, task, command, tmp_path, monkeypatch
):
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "home"))
    folder = Path(task.removeprefix("files:"))
    for path in folder.glob("*.csv"):
        path.write_text(path.read_text().replace(",yes", ",1").replace(",no", ",0"))

    def found(order):
        more = ("--rows", "16", "--budgets", "1") if command == "statistics" else ()
        code, out, err = compecon(
            command, parent, "--task", f"{task}?labels={order}", "--device", "cpu", "--json", *more
        )
        assert code == 0, err
        return json.loads(out)

    one, other, again = found("no,yes"), found("yes,no"), found("no,yes")
    assert again["recalled"]
    assert not other["recalled"]
    if command == "evaluate":
        values = [each["metrics"]["accuracy"]["value"] for each in (one, other)]
        assert sum(values) == pytest.approx(1)


def test_a_few_rows_are_the_same_for_every_checkpoint_and_a_measurement_of_their_own(
    evaluate, classifier, parent, task
):
    other = classifier("other", ("yes", "no"))
    found = [json.loads(evaluate("--rows", "9", "--json", checkpoint=each)[1]) for each in (parent, other)]
    said, targets = said_one_by_one(parent, task)
    places = list(chosen_rows(len(targets), 9))
    assert found[0]["metrics"]["accuracy"]["value"] == accuracy(said[places], targets[places]).value
    keys = [each["evaluations"][0]["key"]["rows_digest"] for each in (*found, json.loads(evaluate("--json")[1]))]
    assert keys[0] == keys[1] != keys[2]
    assert json.loads(evaluate("--rows", "16", "--json")[1])["evaluations"][0]["key"]["rows_digest"] == keys[2]


def test_an_interrupted_evaluation_keeps_finished_budgets_and_nothing_else(evaluate, task, tmp_path, monkeypatch):
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "home"))
    path = Path(task.removeprefix("files:"), "test.csv")
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *rows * 10]) + "\n")  # 3 batches
    reported, report = [], ProgressBar.report

    def reporting(self, record):
        report(self, record)
        reported.append(record.step)
        if len(reported) == 4:  # the first one of the second budget
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ProgressBar, "report", reporting)
    code, out, err = evaluate("--budgets", "2", "--json")
    assert (code, out, reported) == (130, "", [1, 2, 3, 1])
    assert "1 of 3" in err.splitlines()[-1]
    kept = [each for each in (tmp_path / "home").rglob("*") if each.is_file()]
    assert [json.loads(each.read_text())["key"]["keys"] for each in kept] == [None]
    assert json.loads(evaluate("--budgets", "2", "--json")[1])["recalled"] == 1


@pytest.mark.parametrize("command", ["evaluate", "statistics"])
def test_something_is_said_before_torch_is_imported_and_an_end_there_is_one_sentence(command, parent, task):
    program = """
import sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == "torch":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from compecon.cli import main
main()
"""
    words = [sys.executable, "-c", program, command, str(parent), "--task", task]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    first, last = done.stderr.splitlines()
    assert task in first
    assert last.startswith("compecon: Interrupted")
    assert done.returncode == 130


def test_batches_without_a_loss_have_a_pace(capsys):
    bar = ProgressBar()
    bar.begin("all keys", 1000)
    for step in range(1, 1001):
        bar.report(StepRecord(step, math.nan, math.nan, 1.0, 0.0, 1.0, 0.0))
    bar.end()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert not any("nan" in line or "loss" in line for line in lines)
