import numpy as np
import pytest

from compecon.allocation.rules import RULES
from compecon.allocation.streams.crossfit import Traces
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.benchmarks import market, traces
from compecon.benchmarks.figures import Settings
from compecon.errors import CompeconError


def figures_of(table):
    return {figure.label.strip(): figure.values for figure in table.figures}


def test_many_queries_are_timed_at_toy_size(monkeypatch):
    monkeypatch.setattr(market, "_peak_megabytes", lambda _n: 1.0)
    found = figures_of(market.many_table(50, rounds=1))
    assert found["gap to the bound"][0] >= 0
    assert all(len(values) == 1 for values in found.values())


def test_highs_and_the_knapsack_find_the_same_value():
    found = figures_of(market.exact_table(8, rounds=1))
    assert found["its value beside ours"][0] == pytest.approx(0, abs=1e-3)
    assert found["gap that is left"] == (0.0,)


def test_arrivals_are_timed_at_toy_size():
    assert set(figures_of(market.orders_table(200))) == {"random", "cheap first", "cheap last", "bursts"}
    assert figures_of(market.online_table(60, rounds=1))["regret against the offline bound"][0] >= 0


def test_traces_say_what_was_used_and_what_a_coin_would_have_earned():
    rng = np.random.default_rng(0)
    tokens = np.column_stack([np.ones(40), np.full(40, 100.0)])
    table = traces.traces_table(Traces(["a", "b"] * 20, tokens, rng.integers(0, 2, (40, 2)).astype(float)), 30)
    steps = MeasuredCurve(np.array([[1.0, 100.0]]), np.zeros((1, 2)))
    fitting = [name for name in RULES if not RULES.make(name).refusal(steps)]
    assert [figure.label.split(":")[0] for figure in table.figures] == fitting
    assert all(0 <= figure.values[0] <= 1 for figure in table.figures)


def test_traces_without_data_say_what_to_set(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPECON_DATA", str(tmp_path))
    with pytest.raises(CompeconError, match="Set COMPECON_DATA"):
        traces.measure(Settings(quick=True))
