"""`compecon stream`: what each size of an elastic checkpoint answers, against what it costs at each row's length."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.streams.bundled_streams import list_streams, open_stream
from compecon.checkpoints.load import load_checkpoint
from compecon.flops import forward_macs
from compecon.tasks.task import Task
from compecon.tasks.task_registry import read_task
from tests.commands.conftest import Compecon
from tests.support.elastic import elastic_folder


@pytest.fixture
def elastic(parent: Path, tmp_path: Path) -> Path:
    return elastic_folder(parent, tmp_path / "elastic")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "streams"


def test_each_row_has_its_outcome_and_its_macs_at_every_size(
    compecon: Compecon, elastic: Path, task: str, home: Path
) -> None:
    code, out, _ = compecon("stream", elastic, "--task", task, "--json")
    said = json.loads(out)
    assert code == 0
    assert [one["size"] for one in said["sizes"]] == ["0.4", "0.6", "1"]
    [entry] = list_streams(home)
    stream = open_stream(entry.name, home)
    assert entry.levels == ("0.4", "0.6", "1")
    checkpoint, read = load_checkpoint(elastic, "cpu"), read_task(task)
    assert isinstance(read, Task)
    rows = read.part("test")
    for place, (text, target) in enumerate(zip(rows.texts, rows.targets.tolist(), strict=True)):
        batch = checkpoint.encode(text).batch
        for level, budget in enumerate((0.4, 0.6, 1.0)):
            model = checkpoint.at(budget).model
            with torch.inference_mode():
                answer = int(model(**batch).logits.argmax())
            n_tokens = batch["input_ids"].shape[1]
            assert stream.correct[place, level] == (answer == target)
            assert stream.levels[place, level] == forward_macs(model, n_tokens)
    assert said["any"] == stream.correct.max(axis=1).mean()


def test_rows_share_a_budget_of_macs_at_one_price(compecon: Compecon, elastic: Path, task: str, home: Path) -> None:
    assert compecon("stream", elastic, "--task", task, "--sizes", "1,0.5,0.4", "--rows", 10, "--name", "mine")[0] == 0
    stream = open_stream("mine", home)
    curves = stream.curves()
    budget = float(stream.levels[:, 1].sum())
    found = ShadowPrice().allocate(curves, budget)
    assert len(stream.queries) == 10
    assert found.spent <= budget
    bought = np.isclose(found.spend[:, None], np.column_stack([np.zeros(10), stream.levels])).any(axis=1)
    assert bought.all(), "a query buys a size or nothing"


def test_sizes_that_buy_the_same_units_are_one_level(compecon: Compecon, elastic: Path, task: str, home: Path) -> None:
    compecon("stream", elastic, "--task", task, "--sizes", "0.4,0.4000001,1", "--rows", 4, "--name", "few")
    assert open_stream("few", home).levels.shape == (4, 2)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--sizes", "0.1"), "from 0.4"),
        (("--sizes", "nan"), "from 0.4"),
        (("--sizes", "a"), "numbers separated by commas"),
        (("--split", "other"), "no other rows"),
        (("--name", "../up"), "stream's name"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence_and_writes_nothing(
    compecon: Compecon, elastic: Path, task: str, home: Path, more: tuple[str, ...], words: str
) -> None:
    code, _, err = compecon("stream", elastic, "--task", task, *more)
    assert code == 1
    assert words in err
    assert not home.exists()


def test_a_checkpoint_of_one_size_is_refused(compecon: Compecon, parent: Path, task: str, home: Path) -> None:
    code, _, err = compecon("stream", parent, "--task", task)
    assert (code, home.exists()) == (1, False)
    assert "single size" in err
