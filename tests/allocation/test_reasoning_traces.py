"""A table of real answers, direct and with a chain of thought: does a price help on queries it has not seen?"""

import csv

import numpy as np
import pytest

from compecon.allocation.rules import RULES
from compecon.allocation.rules.oracle import Oracle
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.rules.uniform import Uniform
from compecon.allocation.streams.crossfit import Traces, earned


@pytest.fixture(scope="module")
def traces(data_dir):
    file = data_dir / "reasoning_traces" / "bbh_direct_vs_cot.csv"
    if not file.is_file():
        pytest.skip("COMPECON_DATA has no table of reasoning traces")
    with file.open(newline="") as rows:
        table = list(csv.DictReader(rows))
    tokens = np.array([[float(row["direct_tokens"]), float(row["cot_tokens"])] for row in table])
    correct = np.array([[float(row["direct_correct"]), float(row["cot_correct"])] for row in table])
    return Traces([row["task"] for row in table], np.maximum(tokens, 1), correct)


@pytest.fixture
def made():
    """Two groups: one that thinking helps, one that it does not."""
    rng = np.random.default_rng(0)
    groups = ["helped"] * 200 + ["not helped"] * 200
    tokens = np.column_stack([np.full(400, 2.0), rng.integers(80, 120, 400)])
    direct = rng.random(400) < 0.3
    return Traces(groups, tokens, np.column_stack([direct, np.where(np.arange(400) < 200, True, direct)]).astype(float))


@pytest.mark.parametrize("rule", ["uniform", "proportional", "greedy", "cascade", "shadow-price-repaired"])
@pytest.mark.parametrize("budget", [1, 30, 60])
def test_what_was_planned_is_within_the_budget_and_what_was_used_near_it(made, rule, budget):
    found = earned(made, RULES.make(rule), budget)
    assert found.planned <= budget * 400 * (1 + 1e-9)
    assert found.tokens.mean() <= budget * 1.1


def test_thinking_goes_to_those_it_helps(made):
    found = earned(made, RepairedShadowPrice(), 55)
    assert found.tokens[:200].mean() > 80
    assert found.tokens[200:].mean() < 10
    assert found.correct[:200].mean() > 0.9


def test_the_same_seed_gives_the_same_halves(made):
    one, other = (earned(made, RepairedShadowPrice(), 30, seed=3) for _ in range(2))
    assert (one.correct == other.correct).all()
    assert one.interval() == other.interval()


def test_a_price_beats_thinking_at_random_at_the_same_number_of_tokens_used(traces):
    """A coin for each query buys any point on the line between all direct and all with a chain of thought."""
    tokens, correct = traces.tokens.mean(axis=0), traces.correct.mean(axis=0)
    for budget in (20, 40, 80, 120):
        priced = earned(traces, RepairedShadowPrice(), budget)
        at_random = np.interp(priced.tokens.mean(), tokens, correct)
        assert priced.interval().low > at_random
        assert priced.tokens.mean() <= budget * 1.05


def test_the_same_cap_for_all_leaves_budget_unused_on_real_answers(traces):
    priced, uniform = earned(traces, RepairedShadowPrice(), 80), earned(traces, Uniform(), 80)
    assert priced.interval(uniform).low > 0
    assert uniform.tokens.mean() < priced.tokens.mean()


def test_knowing_the_outcomes_is_better_than_any_curve(traces):
    knowing = earned(traces, Oracle(), 40)
    for rule in (ShadowPrice(), RepairedShadowPrice(), Uniform()):
        assert knowing.interval(earned(traces, rule, 40)).low > 0
