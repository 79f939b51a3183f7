"""What a run is expected to take, from headers and from earlier runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from transformers import BertConfig

from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.locate import bundled_root
from compecon.compression.model_shape import ModelShape
from compecon.errors import CheckpointError
from compecon.flops import macs
from compecon.incentives.costs import COSTS
from compecon.runs.jobs.expected import UNKNOWN, Expected, expected
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.machine_speed import DEFAULT, Speed, calibrated
from compecon.tasks.row_counts import Rows, count_rows

SPEED = Speed(macs_per_second=1e9, overhead=5.0, low=0.5, high=2.0)


def told(recipe, **params) -> Expected:
    return expected(recipe, RECIPES[recipe].checked(params), speed=SPEED)


def training(**params) -> Expected:
    return told("train", **{"base": "sentiment", "task": "sst2", **params})


@pytest.fixture
def data(tmp_path):
    """A data folder with an SST-2 of 100 rows to learn from and 30 to measure on, 45 letters each."""
    folder = tmp_path / "sst2"
    folder.mkdir()
    for name, n in (("train", 100), ("dev", 10), ("test", 20)):
        (folder / f"{name}.tsv").write_text(("x" * 42 + "\t1\n") * n)
    return str(tmp_path)


# ---- rows


def test_rows_are_lines_of_the_files(data):
    assert count_rows("sst2", data) == Rows(train=100, measured=30, n_tokens=12)


def test_a_last_line_without_an_end_counts(tmp_path):
    (tmp_path / "rows.csv").write_text("text,label\n" + "a,1\n" * 8 + "b,1")
    assert count_rows(f"files:{tmp_path / 'rows.csv'}?label=label", None) == Rows(8, 2, count_of(tmp_path / "rows.csv"))


def count_of(path):
    lines = path.read_text().splitlines()
    return round(path.stat().st_size / len(lines) / 4.5) + 2


def test_a_file_that_changed_is_counted_again(data, tmp_path):
    assert count_rows("sst2", data).train == 100
    with (tmp_path / "sst2" / "train.tsv").open("a") as stream:
        stream.write("more\t0\n")
    assert count_rows("sst2", data).train == 101


@pytest.mark.parametrize(
    ("task", "folder"), [("sst2", None), ("sst2", "/nowhere"), ("wikitext-2", "data"), ("files:/no.csv", None)]
)
def test_what_is_not_there_is_not_known(task, folder, data):
    assert count_rows(task, data if folder == "data" else folder) is None


def test_a_format_without_lines_is_not_counted(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1\n\n\n")
    assert count_rows(f"files:{tmp_path}", None) is None


def test_rows_that_are_made_here_are_known():
    rows = count_rows("reviews", None)
    assert rows.train > rows.measured > 0


# ---- work


@pytest.mark.parametrize("n_tokens", [5, 30, 128])
def test_the_work_of_a_text_is_nearly_that_of_its_shapes(n_tokens):
    """Against the closed form, which knows the parts; all steps are three forward passes here."""
    about = survey(bundled_root() / "sentiment", trusted_root=bundled_root()).preflight
    config = BertConfig(
        num_hidden_layers=about.layers,
        num_attention_heads=about.heads,
        hidden_size=about.hidden_size,
        intermediate_size=1536,
        num_labels=2,
    )
    exact = 3 * 16 * macs(ModelShape.from_config(config, "BertForSequenceClassification"), n_tokens).total
    most = {"max_tokens": n_tokens, "task": "files:nowhere.csv"}
    one, two = (training(steps=steps, **most).macs for steps in (1, 2))
    assert two - one == pytest.approx(exact * min(n_tokens, 32) / n_tokens, rel=0.2)


def test_more_work_takes_longer(data):
    base = training(data=data, epochs=1.0)
    assert training(data=data, epochs=2.0).seconds > base.seconds
    assert (
        training(data=data, epochs=1.0, hidden_weight=1.0, target=0.5).macs
        > training(data=data, epochs=1.0, target=0.5).macs
    )
    assert training(data=data, epochs=9.0, target=0.2).macs < training(data=data, epochs=9.0, target=0.9).macs


def test_steps_follow_from_the_rows(data):
    """100 rows in batches of 16 are 7 steps an epoch."""
    by_epochs, by_steps = training(data=data, epochs=2.0), training(data=data, steps=14)
    assert by_epochs.macs == by_steps.macs
    assert by_epochs.rows == 100


def test_without_rows_it_is_said_what_is_not_known():
    nothing = training()
    assert (nothing.seconds, nothing.seconds_low, nothing.macs, nothing.rows) == (None, None, None, None)
    assert nothing.unknown == UNKNOWN
    assert nothing.memory_bytes > 0
    some = training(steps=10)
    assert some.unknown == UNKNOWN
    assert some.seconds > SPEED.overhead


def test_seconds_follow_from_the_speed(data):
    found = training(data=data)
    assert found.seconds == pytest.approx(5.0 + found.macs / 1e9)
    assert (found.seconds_low, found.seconds_high) == pytest.approx((0.5 * found.seconds, 2 * found.seconds))


def test_checkpoints_take_room_and_adam_takes_memory(data):
    parameters = survey(bundled_root() / "sentiment", trusted_root=bundled_root()).preflight.parameters
    found = training(data=data)
    assert found.disk_bytes == 4 * parameters + 3 * 12 * parameters  # three at a time: weights and two moments
    assert found.memory_bytes > 16 * parameters
    assert training(data=data, checkpointing=True).memory_bytes < found.memory_bytes


@pytest.mark.parametrize("cost", COSTS)
def test_a_training_becomes_cheaper_on_the_way_only_if_its_price_removes_work(data, cost):
    dense = training(data=data)
    priced = training(data=data, price=1.0, cost=cost, teacher_share=0.0, start="open")
    assert (priced.macs < dense.macs) is COSTS[cost].removes_work
    assert priced.macs <= dense.macs


def test_a_pruning_measures_importance_and_recovers(data):
    def pruned(**params):
        return told("prune", checkpoint="sentiment", task="sst2", data=data, **params).macs

    assert pruned(method="random") < pruned(method="taylor") < pruned(method="fisher")
    assert pruned(method="random") < pruned(method="random", recover_epochs=1.0)


def test_an_evaluation_reads_what_is_measured_on(data):
    about = {"checkpoint": "sentiment", "task": "sst2"}
    assert told("evaluate", **about, data=data).seconds < training(data=data).seconds
    assert told("evaluate", **about).seconds is None


def test_a_rehearsal_is_known_exactly():
    found = told("rehearsal", steps=100, step_ms=30, size_kb=10)
    assert found.seconds == pytest.approx(3.0)
    assert found.disk_bytes == 4 * 10 * 1024


def test_a_checkpoint_that_is_not_there_is_told():
    with pytest.raises(CheckpointError, match="no-such-checkpoint"):
        training(base="no-such-checkpoint")


# ---- speed


def test_runs_on_a_line_give_the_line():
    found = calibrated((work, 12 + work / 2e9) for work in (1e10, 5e10, 3e11, 1e12))
    assert found.macs_per_second == pytest.approx(2e9, rel=0.05)
    assert found.overhead == pytest.approx(12, rel=0.05)
    assert found.runs == 4
    assert found.low < 1 < found.high


def test_one_run_in_five_that_was_disturbed_does_no_harm():
    pairs = [(work, 12 + work / 2e9) for work in (1e10, 5e10, 2e11, 3e11, 1e12, 2e12)]
    pairs[2] = (pairs[2][0], 50 * pairs[2][1])
    found = calibrated(pairs)
    assert found.seconds(6e11) == pytest.approx(12 + 300, rel=0.1)


def test_the_range_is_that_of_earlier_runs():
    dice = np.random.default_rng(0)
    known = [10 ** dice.uniform(10, 13) for _ in range(40)]
    pairs = [(work, (10 + work / 1e9) * dice.uniform(0.7, 1.5)) for work in known]
    found = calibrated(pairs)
    inside = [found.low <= took / found.seconds(work) <= found.high for work, took in pairs]
    assert sum(inside) >= 0.8 * len(pairs)
    assert found.high < 4


def test_more_runs_make_the_range_narrower():
    def width(n):
        found = calibrated([(work * 1e11, 10 + work * 100) for work in range(1, n + 1)])
        return found.high / found.low

    assert width(1) > width(4) > width(20) > 1


@pytest.mark.parametrize("earlier", [[1e8] * 2, [1e8, 3e8, 9e8], [1e9] * 20, [1e8, 1e12], [1e8] * 9 + [1e12]])
@pytest.mark.parametrize("times", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("asked", [1e8, 1e11, 1e12, 1e14])
def test_whatever_has_run_on_a_usual_machine_the_range_holds_what_comes(earlier, times, asked):
    """Short runs tell what starting takes, and not how quick the work is, whose range stays as wide as it was."""
    dice = np.random.default_rng(0)

    def takes(work):
        return times * (0.4 * DEFAULT.overhead + work / DEFAULT.macs_per_second)

    found = calibrated((work, takes(work) * dice.uniform(0.9, 1.1)) for work in earlier)
    assert found.low <= takes(asked) / found.seconds(asked) <= found.high
    assert found.high / found.low <= 1.2 * DEFAULT.high / DEFAULT.low


def test_one_odd_run_among_few_does_not_widen_the_range():
    pairs = [(work, 12 + work / 2e9) for work in (1e10, 5e10, 2e11, 3e11, 1e12, 2e12)]
    pairs[2] = (pairs[2][0], 50 * pairs[2][1])
    assert calibrated(pairs).high < DEFAULT.high


@pytest.mark.parametrize("pairs", [[], [(0.0, 5.0)], [(math.nan, 5.0)], [(1e9, math.inf)], [(1e9, -1.0)]])
def test_without_a_run_that_tells_something_the_default_is_taken(pairs):
    assert calibrated(pairs) == DEFAULT
    assert DEFAULT.runs == 0


@pytest.mark.parametrize("pairs", [[(1e9, 0.5)], [(1e9, 0.5)] * 5, [(1e9, 100.0), (1e12, 1.0), (1e13, 0.5)]])
def test_odd_runs_give_a_speed_all_the_same(pairs):
    found = calibrated(pairs)
    assert 0 < found.macs_per_second < math.inf
    assert found.overhead >= 0
    assert 0 < found.low <= 1 <= found.high
