"""What was measured is kept, found again, and never taken for a measurement of something else."""

import json
import math
from dataclasses import replace

import pytest

from compecon.callbacks import Callbacks, StepCallbacks
from compecon.errors import TaskError, TrainingInterruptedError
from compecon.evaluation import at_budgets as measured
from compecon.evaluation.at_budgets import measure_checkpoint
from compecon.evaluation.evaluation_records import EvaluationKey, EvaluationRecord, EvaluationStore
from compecon.runs.jobs.job_registry import RECIPES
from compecon.tasks.task_metrics import Estimate

KEY = EvaluationKey("0123456789ab", "sst2", "test", "ba9876543210", 128, 4, None, "top-k")


def record(**changes):
    plain = EvaluationRecord(
        KEY,
        "sentiment",
        {"accuracy": Estimate(0.8, 0.7, 0.9, 100), "f1": Estimate(math.nan, math.nan, math.nan, 100)},
        True,
        25,
        3600,
        134_298_624,
        33_000_000,
        {"cores": 2},
        {"torch": "2"},
        1.5,
    )
    return replace(plain, **changes)


def values(**given):
    return RECIPES["evaluate"].checked({"device": "cpu", "max_tokens": 32, **given})


@pytest.fixture
def counting(monkeypatch):
    """How many forward passes over the split were made."""
    passes, real = [], measured.evaluate_checkpoint
    monkeypatch.setattr(measured, "evaluate_checkpoint", lambda *a, **k: passes.append(k["budget"]) or real(*a, **k))
    return passes


def test_what_is_kept_is_read_again_as_it_was(tmp_path):
    EvaluationStore(tmp_path).put(record())
    found = EvaluationStore(tmp_path).get(KEY)
    assert replace(found, metrics={}) == replace(record(), metrics={})
    assert found.metrics["accuracy"] == record().score
    assert math.isnan(found.metrics["f1"].value)
    assert found.metric == "accuracy"


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "ffffffffffff"},
        {"task": "stsb"},
        {"split": "dev"},
        {"rows_digest": "000000000000"},
        {"max_tokens": 64},
        {"keys": 5},
        {"keys": None, "share": 4.0},
        {"policy": "random"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_conditions_are_another_measurement(tmp_path, change):
    store = EvaluationStore(tmp_path)
    store.put(record())
    assert store.get(replace(KEY, **change)) is None
    assert replace(KEY, **change).file_name != KEY.file_name


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"schema": 1}', '{"schema": 2}', "[" * 5000, '{"schema": 1, "key": 3}', "\xff\xfe"],
    ids=["empty", "cut", "list", "null", "bare", "newer", "deep", "key", "bytes"],
)
def test_damaged_files_are_left_out(tmp_path, text, caplog):
    store = EvaluationStore(tmp_path)
    store.put(record())
    (tmp_path / "evaluations" / "damaged.json").write_bytes(text.encode("latin-1"))
    own = [each for each in store.all() if each.checkpoint == "sentiment" and each.key == KEY]
    assert len(own) == 1
    assert "damaged.json" in caplog.text


@pytest.mark.parametrize(
    ("part", "value", "named"),
    [
        ("n_tokens", 2.5, "count"), ("reads", -1, "count"), ("higher_is_better", 1, "count"),
        ("macs", "many", "count"), ("checkpoint", 3, "name"), ("metrics", {}, "metric"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(part, value, named):
    with pytest.raises(ValueError, match=named):
        EvaluationRecord.read(record().written() | {part: value})


def test_without_a_folder_nothing_is_kept(tmp_path):
    EvaluationStore().put(record())
    assert list(tmp_path.iterdir()) == []
    assert record() not in EvaluationStore().all()


def test_budgets_are_measured_one_after_the_other(rule, parent, tmp_path, counting):
    params = values(checkpoint=parent(), task=rule, budgets=[1, 3, 1])
    found = measure_checkpoint(params, kept=tmp_path)
    assert [each.key.keys for each in found.records] == [None, 3, 1]
    assert [each and each.keys for each in counting] == [None, 3, 1]
    for budget, each in zip([None, 3, 1], found.records, strict=True):
        alone = measure_checkpoint(values(checkpoint=params["checkpoint"], task=rule, keys=budget))
        assert alone.records[0].metrics == each.metrics
        assert alone.records[0].key == each.key


def test_reads_are_counted_query_by_query(rule, parent, tmp_path):
    found = measure_checkpoint(values(checkpoint=parent(), task=rule, budgets=[2, 1000]), kept=tmp_path)
    config, n = found.checkpoint.model.config, found.records[0].n_tokens
    heads = config.num_hidden_layers * config.num_attention_heads
    expected = {None: heads * n * n, 2: heads * n * min(2, n), 1000: heads * n * n}
    assert {each.key.keys: each.reads for each in found.records} == expected


def test_nothing_is_measured_twice(rule, parent, tmp_path, counting):
    params = values(checkpoint=parent(), task=rule, budgets=[2])
    first = measure_checkpoint(params, kept=tmp_path)
    again = measure_checkpoint({**params, "budgets": [3, 2]}, kept=tmp_path)
    assert [each and each.keys for each in counting] == [None, 2, 3]
    assert (first.n_recalled, again.n_recalled) == (0, 2)
    assert again.results()["recalled"] == 2
    assert json.loads(json.dumps(again.results()))["evaluations"][2]["key"]["keys"] == 2


def test_one_that_is_left_goes_on_where_it_was(rule, parent, tmp_path, counting):
    params = values(checkpoint=parent(), task=rule, budgets=[3, 2, 1])
    asked = []
    watch = StepCallbacks(stop=lambda: asked.append(1) or len(asked) > 2)
    with pytest.raises(TrainingInterruptedError, match="after 2 of 4"):
        measure_checkpoint(params, kept=tmp_path, callbacks=Callbacks(watch=watch))
    measure_checkpoint(params, kept=tmp_path)
    assert [each and each.keys for each in counting] == [None, 3, 2, 1]


def test_a_checkpoint_without_the_head_is_refused_before_anything_is_kept(rule, tmp_path):
    with pytest.raises(TaskError):
        measure_checkpoint(values(checkpoint="similarity", task=rule), kept=tmp_path)
    assert list(tmp_path.glob("evaluations/*")) == []


def test_a_number_that_cannot_be_kept_is_told_all_the_same(rule, parent, tmp_path):
    taken, said = tmp_path / "taken", []
    taken.write_text("no folder")
    found = measure_checkpoint(values(checkpoint=parent(), task=rule), kept=taken, callbacks=Callbacks(say=said.append))
    assert found.records[0].score.n == 24
    assert [sentence for sentence in said if "could not be kept" in sentence]
    assert taken.read_text() == "no folder"
