"""`compecon statistics`: what it prints, what it keeps, and who is refused."""

import json

import numpy as np
import pytest

from compecon.evaluation.row_records import RowStatistics
from compecon.runs.home import Home
from compecon.runs.store import RunStore


@pytest.fixture
def statistics(compecon, task, parent, tmp_path, monkeypatch):
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "home"))

    def run(*arguments, on=task):
        return compecon("statistics", parent, "--task", on, "--rows", "10", "--budgets", "2,1", *arguments)

    return run


def test_what_is_printed_is_what_is_kept(statistics, tmp_path):
    code, out, _ = statistics("--json")
    found = json.loads(out)
    assert code == 0
    kept = RowStatistics.read(
        json.loads((Home(tmp_path / "home").measurements / "statistics" / found["file"]).read_text())
    )
    assert kept.written() == RowStatistics.read(found["statistics"]).written()
    assert kept.key.levels == (None, 2, 1)
    assert [level["keys"] for level in found["levels"]] == [None, 2, 1]
    assert [level["gini"] for level in found["levels"]] == np.round(kept.gini.mean(axis=1), 4).tolist()
    assert [level["right"] for level in found["levels"]] == np.round(kept.right.mean(axis=1), 4).tolist()


def test_the_second_time_nothing_is_measured(statistics, monkeypatch):
    code, out, _ = statistics()
    assert code == 0
    assert out.splitlines()[0].split() == ["keys", "Gini", "entropy", "(nats)", "right"]
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["all", "2", "1"]
    monkeypatch.setattr("compecon.evaluation.row_statistics.measured_rows", None)  # to call it would fail
    code, again, _ = statistics()
    assert code == 0
    assert again.startswith(out)
    assert len(again.splitlines()) == len(out.splitlines()) + 1


def test_in_the_background_it_is_a_run(statistics, tmp_path, monkeypatch):
    monkeypatch.setattr("compecon.runs.executors.local.LocalExecutor.start", lambda *_: None)
    code, out, _ = statistics("--background", "--title", "Mine")
    assert code == 0
    record = RunStore(Home(tmp_path / "home")).get(out.strip())
    assert (record.spec.recipe, record.title) == ("statistics", "Mine")
    assert (record.spec.params["rows"], record.spec.params["budgets"]) == (10, [2, 1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--rows", "1"), "--rows"), (("--budgets", "0"), "--budgets"), (("--budgets", "x"), "--budgets")],
)
def test_wrong_usage(statistics, arguments, said):
    code, _, err = statistics(*arguments)
    assert code == 2
    assert said in err


def test_a_task_without_decisions_is_one_sentence(statistics, articles):
    code, _, err = statistics("--data", articles, on="wikitext-2")
    assert code == 1
    [_, said] = err.splitlines()
    assert said.startswith("compecon: wikitext-2 has neither classes nor scores.")
