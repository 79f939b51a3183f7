"""Runs as files that other programs open, and as a model with a card."""

import csv
import json
import shutil
import sys

import pytest
from huggingface_hub import ModelCard

from compecon.runs.home import Home
from compecon.runs.metrics_export import history_of, write_csv, write_parquet, write_tensorboard
from compecon.runs.run_card import run_card
from compecon.runs.run_record import RunState
from compecon.runs.store import RunStore
from tests.support.made_runs import METRIC, attempt, made, steps

QUALITY = {
    "event": "quality",
    "stage": "dense",
    "step": 3,
    "metric": "accuracy",
    "split": "dev",
    "value": 0.8,
    "at": 2.0,
}
LINES = [attempt(1), *steps("dense", 1, 2, 3), QUALITY, *steps("incentive", 1, 2), {"event": "note", "parts": [1, 2]}]
RESULTS = {
    "task": "sst2",
    "parent": "sentiment",
    "metric": METRIC,
    "parent_metric": {**METRIC, "value": 0.83},
    "difference": {"value": -0.02, "low": -0.03, "high": -0.01},
    "macs": 5_000_000,
    "parent_macs": 10_000_000,
    "n_tokens": 25,
    "latency": {"ratio": 0.5, "low": 0.45, "high": 0.55, "batch": 8, "n_tokens": 64, "device": "cpu", "threads": 1},
    "sentence": "Half of the MACs.",
}


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "home"))
    return RunStore(Home.default())


@pytest.fixture
def trained(store):
    """A training that succeeded; its checkpoint is any folder."""

    def make(title="Half a model", **params):
        given = {"task": "sst2", "base": "sentiment", "target": 0.5, **params}
        record = made(store, recipe="train", params=given, results=RESULTS, lines=LINES, title=title)
        folder = record.folder / "result" / record.run_id
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        return store.get(record.run_id)

    return make


# ---- metrics


def test_csv_holds_every_step_and_every_event(compecon, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = made(store, lines=LINES)
    code, out, _ = compecon("export", record.run_id, "--to", "csv")
    assert code == 0
    assert out.splitlines() == [f"{record.run_id}-csv/metrics.csv", f"{record.run_id}-csv/events.csv"]
    metrics, events = (list(csv.DictReader((tmp_path / path).read_text().splitlines())) for path in out.splitlines())
    wanted = [line for line in LINES if "event" not in line]
    assert [
        {name: type(line[name])(row[name]) for name in line} for row, line in zip(metrics, wanted, strict=True)
    ] == wanted
    assert [row["event"] for row in events] == ["attempt", "quality", "note"]
    assert events[1]["value"] == "0.8"
    assert json.loads(events[2]["parts"]) == [1, 2]


def test_parquet_holds_the_same(store, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    record = made(store, lines=LINES)
    metrics, events = (parquet.read_table(path) for path in write_parquet(history_of(record), tmp_path / "out"))
    wanted = [line for line in LINES if "event" not in line]
    assert metrics.to_pylist() == wanted
    assert events.column("value").to_pylist() == [None, 0.8, None]
    assert events.column("parts").to_pylist() == [None, None, "[1, 2]"]


def test_columns_of_mixed_kinds_can_be_written(store, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    lines = [{"event": "a", "value": value} for value in (1, 2.5, None)]
    lines += [{"event": "b", "text": value} for value in ("x", 1, {"y": 2}, True)]
    _, events = write_parquet(history_of(made(store, lines=lines)), tmp_path / "out")
    assert parquet.read_table(events).column("value").to_pylist() == [1.0, 2.5, *[None] * 5]
    assert parquet.read_table(events).column("text").to_pylist() == [*[None] * 3, "x", "1", '{"y": 2}', "true"]


def test_a_run_without_steps_is_written_too(store, tmp_path):
    metrics, events = write_csv(history_of(made(store)), tmp_path / "out")
    assert (metrics.read_text(), events.read_text()) == ("stage,step,total\n", "event,stage,step,at\n")


def test_tensorboard_gets_curves_on_one_axis(monkeypatch, store, tmp_path):
    tensorboard = pytest.importorskip("tensorboardX")
    written = []

    class Writer(tensorboard.SummaryWriter):
        def add_scalar(self, tag, value, step):
            written.append((tag, value, step))
            super().add_scalar(tag, value, step)

    monkeypatch.setattr(tensorboard, "SummaryWriter", Writer)
    record = made(store, lines=LINES)
    assert write_tensorboard(history_of(record), tmp_path / "logs", "settings") == (tmp_path / "logs",)
    assert [path.name.startswith("events.out.tfevents") for path in (tmp_path / "logs").iterdir()] == [True]
    assert [(tag, step) for tag, _, step in written if tag.endswith("/loss")] == [
        *(("dense/loss", n) for n in (1, 2, 3)),
        *(("incentive/loss", n) for n in (4, 5)),
    ]
    assert ("quality/dev/accuracy", 0.8, 3) in written


@pytest.mark.parametrize(("module", "target"), [("tensorboardX", "tensorboard"), ("pyarrow", "parquet")])
def test_what_is_not_installed_is_named_with_its_line(compecon, store, tmp_path, monkeypatch, module, target):
    monkeypatch.setitem(sys.modules, module, None)
    record = made(store, lines=LINES)
    code, _, err = compecon("export", record.run_id, "--to", target, "--out", tmp_path / "out")
    assert code == 1
    assert f"`pip install {module}`" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["csv", "parquet", "tensorboard", "model"])
def test_a_folder_with_content_is_left_alone(compecon, trained, tmp_path, target):
    (tmp_path / "mine").write_text("mine")
    code, _, err = compecon("export", trained().run_id, "--to", target, "--out", tmp_path)
    assert code == 1
    assert "has content already" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("wrong", [("--to", "csv", "--onnx"), ("folder", "--to", "csv"), (), ("folder", "--out", "x")])
def test_a_checkpoint_goes_to_a_folder_and_a_run_to_an_out(compecon, store, wrong):
    record = made(store)
    assert compecon("export", record.run_id, *wrong)[0] == 2


# ---- the model


def test_the_model_is_copied_with_a_card_that_the_hub_reads(compecon, trained, tmp_path):
    record = trained()
    code, out, err = compecon("export", record.run_id, "--to", "model", "--out", tmp_path / "model")
    assert (code, out) == (0, f"{tmp_path / 'model'}\n"), err
    assert (tmp_path / "model" / "config.json").is_file()
    card = ModelCard.load(tmp_path / "model" / "README.md")
    assert card.data.library_name == "transformers"
    assert card.data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    assert card.data.datasets == ["nyu-mll/glue"]
    assert card.data.tags == ["compecon", "train", "incentive"]
    [result] = card.data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_split) == ("accuracy", 0.81, "test")


def test_the_card_says_how_it_was_made_and_what_it_is_worth(trained):
    card = run_card(trained())
    assert "compecon train --task sst2 --base sentiment --target-macs 0.5 --save-every 50 --out DIR" in card
    assert "| this model | accuracy | test | 0.81 [0.79, 0.83] | 872 |" in card
    assert "Difference, paired over rows: -0.02 [-0.03, -0.01]." in card
    assert "5,000,000, 0.500 of its parent's 10,000,000" in card
    assert "0.5 [0.45, 0.55] (8 × 64 tokens, cpu, 1 thread)" in card
    assert "no licence stated; research use" in card


def test_no_folder_of_this_machine_is_published(trained, task, parent, tmp_path):
    card = run_card(trained(task=task, base=str(parent), data=str(tmp_path / "secret")))
    assert str(tmp_path) not in card
    assert "secret" not in card
    assert "files:rule" in card
    assert "--base parent" in card


def test_what_a_person_typed_is_no_markup(trained):
    card = run_card(trained(title='<script>"x"</script> # [a](b): |'))
    assert ModelCard(card).data.model_name
    assert "<script>" not in card.split("---\n")[2].replace("\\<script\\>", "")


def test_a_hub_id_is_its_own_base(trained):
    card = run_card(trained(base="prajjwal1/bert-tiny"))
    assert ModelCard(card).data.base_model == "prajjwal1/bert-tiny"


def test_a_run_without_a_checkpoint_has_no_model(compecon, trained, store, tmp_path):
    failed, emptied = made(store, RunState.FAILED), trained()
    shutil.rmtree(emptied.folder / "result")
    for record in (failed, emptied):
        code, _, err = compecon("export", record.run_id, "--to", "model", "--out", tmp_path / "model")
        assert code == 1
        assert "has no checkpoint" in err
    assert not (tmp_path / "model").exists()
