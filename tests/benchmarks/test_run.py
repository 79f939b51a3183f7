"""Every benchmark that needs no browser runs once at toy size; the others say what is missing."""

import json
import sys
from dataclasses import replace

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from compecon.benchmarks import compaction, dataset, incentive, memory, run, sweep
from compecon.benchmarks.attention import attention_table
from compecon.benchmarks.browser import chromium, find_chromium
from compecon.benchmarks.figures import Settings, Table
from compecon.benchmarks.made_models import bert_config, random_encoder, random_rows, text_of, write_random_checkpoint
from compecon.benchmarks.timing import interleaved, one_thread, ratios
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CompeconError
from compecon.views.attention.attention_stream import attention_stream
from compecon.views.attention.budget_grid import budget_grid
from compecon.views.attention.frames import encode
from tests.support.tokenizers import LOADER, in_this_process

TOY = bert_config(layers=1, hidden=24, heads=2, d_ff=48)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = write_random_checkpoint(tmp_path_factory.mktemp("bench") / "toy", TOY)
    with pytest.MonkeyPatch.context() as patch:  # the tokenizer is a bundled one: no child process to try it in
        patch.setattr(LOADER, in_this_process)
        return load_checkpoint(folder, "cpu")


def test_random_weights_fill_the_whole_model():
    model = random_encoder(TOY)
    assert {p.shape for p in model.parameters()} >= {torch.Size([8000, 24]), torch.Size([48, 24])}
    assert not model.training


@pytest.mark.parametrize("n", [3, 32, 64, 128])
def test_a_text_has_exactly_the_tokens_that_were_asked_for(checkpoint, n):
    assert len(checkpoint.encode(text_of(checkpoint, n, seed=n)).tokens) == n


def test_another_seed_is_another_text(checkpoint):
    assert text_of(checkpoint, 20, seed=1) != text_of(checkpoint, 20, seed=2)


def test_what_is_compared_takes_turns():
    calls = []
    times = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, warm_up=1)
    assert calls == ["a", "b"] * 4
    assert [len(values) for values in times.values()] == [3, 3]


def test_a_ratio_compares_neighbours():
    assert ratios([2.0, 9.0], [1.0, 3.0]) == (2.0, 3.0)


def test_threads_are_given_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert torch.get_num_threads() == before


def test_the_attention_benchmark_runs_at_toy_size():
    table = attention_table(TOY, {8: 1})
    assert [len(f.values) for f in table.figures] == [1, 1, 1, 1]
    assert [f.unit for f in table.figures] == ["ms", "×", "×", "×"]


def test_the_sweep_benchmark_runs_at_toy_size(checkpoint):
    table = sweep.sweep_table(checkpoint, {8: 1})
    assert [len(f.values) for f in table.figures] == [1, 1, 1, 1]


def test_the_timed_stream_ends_with_the_grid(checkpoint):
    encoded = checkpoint.encode(text_of(checkpoint, 20))
    expected, missing = 0, set(budget_grid(20))
    for message in attention_stream(checkpoint, encoded):
        expected += len(encode(message))
        missing.discard(message.fields.get("k"))
        if message.kind == "frame" and not missing:
            break
    assert sweep.grid_bytes(checkpoint, encoded) == pytest.approx(expected, abs=64)  # digits of a float may differ


@pytest.fixture
def classifier():
    config = {name: value for name, value in TOY.items() if name not in ("model_type", "architectures")}
    return BertForSequenceClassification(BertConfig(**config, num_labels=2)).eval()


def test_the_incentive_benchmark_runs_at_toy_size_and_leaves_the_model_alone(checkpoint, classifier):
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    rows = random_rows(8000, n_rows=16, n_tokens=4)
    table = incentive.incentive_table(classifier, checkpoint.tokenizer, rows, 2)
    assert [len(f.values) for f in table.figures] == [10, 10, 10, 1, 1]
    assert all(torch.equal(before[name], value) for name, value in classifier.state_dict().items())
    assert not classifier.training


def test_the_compaction_benchmark_runs_at_toy_size(checkpoint, classifier):
    rows = random_rows(8000, n_rows=9, n_tokens=4)
    table = compaction.compaction_table(
        classifier, checkpoint.tokenizer, rows, {"forward": 3, "compact": 2, "prune": 1}
    )
    assert [len(f.values) for f in table.figures] == [3, 3, 3, 3, 1, 2]
    assert table.figures[3].goal.at_most == 1.25


def test_the_dataset_benchmark_runs_at_toy_size(checkpoint, classifier):
    rows = random_rows(8000, n_rows=9, n_tokens=4)
    table = dataset.dataset_table(replace(checkpoint, model=classifier), rows, "9 rows", rounds=2)
    assert [len(f.values) for f in table.figures] == [2, 2, 2, 2]
    assert table.figures[2].goal.at_most == 1 / 0.9
    assert table.figures[3].values == tuple(1000 * 9 / ms for ms in table.figures[1].values)


def test_random_rows_are_the_same_every_time():
    assert random_rows(50, n_rows=3, n_tokens=5) == random_rows(50, n_rows=3, n_tokens=5)


def test_an_unknown_benchmark_is_refused_by_name():
    with pytest.raises(CompeconError, match="There is no benchmark 'speed'"):
        run.run_benchmarks(["speed"], Settings(), print)


def test_what_cannot_run_says_why_and_the_next_one_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "all_facts", lambda: {"cpu": "a toy"})
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setattr(sweep, "measure", lambda _settings: [attention_table(TOY, {4: 1})])
    said = []
    outcomes = run.run_benchmarks(["frames", "sweep"], Settings(quick=True), said.append)
    assert [o.name for o in outcomes] == ["frames", "sweep"]
    assert "Playwright is not installed" in outcomes[0].problem
    assert "frames: not measured. Playwright is not installed" in said[1]
    run.write_outcomes(tmp_path / "out.json", outcomes, Settings(quick=True))
    content = json.loads((tmp_path / "out.json").read_text())
    assert [b["name"] for b in content["benchmarks"]] == ["frames", "sweep"]
    assert content["benchmarks"][1]["tables"][0]["figures"][0]["n"] == 1


def test_without_a_browser_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CompeconError, match="Install chromium"):
        find_chromium()
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(CompeconError, match="pip install playwright"), chromium():
        pass


def test_memory_of_one_text_is_measured_without_a_browser_too(monkeypatch):
    monkeypatch.setattr(memory, "memory_table", lambda *_: Table("one text", ()))
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    one, many = memory.measure(Settings(quick=True))
    assert one.title == "one text"
    assert "pip install playwright" in many.figures[0].instead


def test_facts_name_the_machine_and_the_versions():
    facts = run.machine_facts()
    assert {"cpu", "python", "torch", "transformers", "streamlit", "threads"} <= facts.keys()
    assert run.facts_text({"a": "1", "longer": "2"}) == "a       1\nlonger  2"
