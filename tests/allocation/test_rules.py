import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compecon.allocation.clearing import clear, repriced
from compecon.allocation.rules import RULES
from compecon.allocation.rules.cascade import Cascade
from compecon.allocation.rules.elastic_split import ElasticSplit
from compecon.allocation.rules.exact_scan import ExactScan
from compecon.allocation.rules.greedy import Greedy
from compecon.allocation.rules.knapsack_exact import KnapsackExact
from compecon.allocation.rules.oracle import Oracle
from compecon.allocation.rules.proportional import Proportional
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.rules.uniform import Uniform
from compecon.allocation.rules.value_of_computation import ValueOfComputation
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.truncation import Truncation
from tests.allocation.instances import any_market, best_in_whole_units, best_of_all_sets, measured, surges
from tests.allocation.vectors import DECAY, INSTANCES, SLOPE

BUDGETS = st.integers(0, 60)


def surge(thresholds, slope=SLOPE, decay=DECAY):
    return ShiftedSurge(np.array(thresholds, dtype=float), np.array(slope), np.array(decay))


ANY = [name for name in RULES if not RULES.make(name).refusal(surge([1.0, 2.0]).within(cap=np.array([5.0, 6.0])))]

each_instance = pytest.mark.parametrize("case", INSTANCES, ids=lambda case: case.name)


# ---- known optima


@each_instance
def test_the_shadow_price_is_what_bisection_finds(case):
    found = ShadowPrice().allocate(surge(case.thresholds), case.budget)
    assert found.price == pytest.approx(case.price, abs=1e-6)
    assert found.value == pytest.approx(case.bisection, abs=1e-6)
    np.testing.assert_allclose(found.spend, case.bisection_spend, atol=1e-6)
    assert found.upper_bound == pytest.approx(case.bound, abs=1e-6)


@each_instance
@pytest.mark.parametrize("rule", [ExactScan(), RepairedShadowPrice(), Oracle()], ids=lambda rule: type(rule).__name__)
def test_the_optimum_of_one_shape_is_found(case, rule):
    found = rule.allocate(surge(case.thresholds), case.budget)
    assert found.value == pytest.approx(case.optimum, abs=1e-6)
    np.testing.assert_allclose(found.spend, case.optimum_spend, atol=1e-5)


@each_instance
def test_the_optimum_in_whole_tokens_is_proven(case):
    found = KnapsackExact(whole=True).allocate(surge(case.thresholds), case.budget)
    assert found.value == pytest.approx(case.whole, abs=1e-6)
    assert found.gap == 0


@each_instance
def test_the_same_cap_for_all_and_the_choke_prices(case):
    curves = surge(case.thresholds)
    assert Uniform().allocate(curves, case.budget).value == pytest.approx(case.uniform, abs=1e-6)
    np.testing.assert_allclose(curves.choke_prices, case.choke_prices, atol=1e-6)
    at_most = float((curves.choke_prices * curves.threshold).max())
    assert at_most == pytest.approx(case.bound_on_gap, abs=1e-5)
    assert case.bound - case.optimum <= at_most


def test_of_four_identical_queries_the_price_serves_none_and_the_repair_the_first_three():
    curves = surge([300] * 4)
    assert ShadowPrice().allocate(curves, 1200).spend.tolist() == [0, 0, 0, 0]
    assert ShadowPrice().allocate(curves, 1200).abandoned(curves).all()
    repaired = RepairedShadowPrice().allocate(curves, 1200)
    np.testing.assert_allclose(repaired.spend, [400, 400, 400, 0])
    assert repaired.abandoned(curves).tolist() == [False, False, False, True]


# ---- against brute force


@given(surges(shared=True, tokens=st.floats(0, 12)), st.floats(0.1, 60))
def test_exact_scan_is_the_best_of_all_funded_sets(utility, budget):
    found = ExactScan().allocate(utility, budget)
    assert found.value == pytest.approx(best_of_all_sets(utility, budget), abs=1e-7)
    assert found.gap == pytest.approx(0, abs=1e-9)


@given(surges(shared=True), st.integers(1, 20), BUDGETS)
def test_exact_scan_with_a_cap_for_all_is_as_good_as_whole_tokens(utility, cap, budget):
    capped = utility.within(cap=cap)
    found = ExactScan().allocate(capped, budget)
    assert (found.spend <= cap).all()
    assert found.value >= best_in_whole_units(capped, budget) - 1e-9
    assert found.value <= clear(capped, budget).upper_bound + 1e-9


@given(any_market(), BUDGETS)
def test_knapsack_is_the_best_of_all_allocations_in_whole_units(utility, budget):
    assume(budget >= utility.floor.sum())
    found = KnapsackExact(whole=True).allocate(utility, budget)
    assert found.value == pytest.approx(best_in_whole_units(utility, budget), abs=1e-9)
    assert found.gap <= 1e-9
    assert (found.spend == np.floor(found.spend)).all()


@pytest.mark.slow
@settings(max_examples=2000)
@given(any_market(), BUDGETS)
def test_knapsack_and_bound_hold_on_thousands_of_markets(utility, budget):
    assume(budget >= utility.floor.sum())
    best = best_in_whole_units(utility, budget)
    found = KnapsackExact(whole=True).allocate(utility, budget)
    repaired = RepairedShadowPrice(whole=True).allocate(utility, budget)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert ShadowPrice(whole=True).allocate(utility, budget).value <= repaired.value <= best + 1e-9
    assert best <= repaired.upper_bound + 1e-9


def test_what_rounding_took_is_handed_back_and_never_overspent():
    rng = np.random.default_rng(4)
    for _ in range(30):
        levels = np.sort(rng.uniform(1, 9, (6, 3)), axis=1)
        curves = MeasuredCurve(levels, rng.integers(0, 2, (6, 3)).astype(float))
        budget = float(rng.uniform(0, 40))
        rounded = KnapsackExact(whole=True).allocate(curves, budget)
        found = KnapsackExact(unit=1).allocate(curves, budget)
        assert found.spent <= budget
        assert rounded.value <= found.value <= found.upper_bound * (1 + 1e-12)
        assert all(spend == 0 or spend in row for spend, row in zip(found.spend, levels, strict=True))


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=2, max_size=2), min_size=1, max_size=4),
    st.integers(0, 30),
    st.sampled_from([0.01, 0.3, 0.1 / 3, 250.0]),
)
def test_the_knapsack_is_exact_in_cents_and_in_any_other_unit(rows, budget, cent):
    table = np.array([sorted(row) for row in rows], dtype=float)
    curves = MeasuredCurve(table[..., 0] * cent, table[..., 1])
    found = KnapsackExact().allocate(curves, budget * cent)
    assert found.value == best_of_all_levels(table, budget)
    assert found.gap == 0
    for name in RULES:
        rule = RULES.make(name)
        if not rule.refusal(curves):
            assert rule.allocate(curves, budget * cent).value <= found.value


def best_of_all_levels(table: np.ndarray, budget: float) -> float:
    """Of every choice of a level, or none, for each query, the one within the budget that is worth most."""

    def worth(row: list[list[float]], spend: float) -> float:
        reached = [value for level, value in row if level <= spend]
        return reached[-1] if reached else 0.0

    rows = table.tolist()
    all_spends = itertools.product(*[[0.0, *(level for level, _ in row)] for row in rows])
    within = [spends for spends in all_spends if sum(spends) <= budget]
    return max(sum(map(worth, rows, spends)) for spends in within)


@pytest.mark.parametrize("levels", [[1e10, 1.000000001e10], [1.0, 1e10], [1e-9, 1e10], [1e300, 1e306]])
def test_huge_levels_are_no_huge_table(levels):
    curves = MeasuredCurve([levels] * 3, [[1, 2]] * 3)
    found = KnapsackExact().allocate(curves, 2.5 * levels[1])
    assert found.spent <= 2.5 * levels[1]
    assert found.value >= RepairedShadowPrice().allocate(curves, 2.5 * levels[1]).value
    assert found.upper_bound >= found.value


@given(any_market(), BUDGETS)
def test_no_rule_beats_the_knapsack_by_more_than_its_gap(utility, budget):
    assume(budget >= utility.floor.sum())
    found = KnapsackExact().allocate(utility, budget)
    for name in RULES:
        rule = RULES.make(name)
        if not (rule.refusal(utility) or rule.needs_truth):
            assert rule.allocate(utility, budget).value <= found.upper_bound * (1 + 1e-9) + 1e-9
    assert RepairedShadowPrice().allocate(utility, budget).value <= found.value + 1e-9


def test_the_price_is_the_one_at_which_the_marginal_query_is_rationed():
    alike = MeasuredCurve([[2]], [[1], [1], [1]])
    found = RepairedShadowPrice().allocate(alike, 5)
    assert found.spend.tolist() == [2, 2, 0]
    assert found.price == 0.5  # what the third one would pay, and the market's clearing price
    assert RepairedShadowPrice().allocate(alike, 6).price == 0
    dearer = MeasuredCurve([[1, 4]], [[1, 2], [1, 1], [0, 2]])
    found = RepairedShadowPrice().allocate(dearer, 3)
    assert found.abandoned(dearer).tolist() == [False, False, True]
    assert found.price == dearer.choke_prices[2] == 0.5


@given(any_market(), BUDGETS)
def test_a_price_is_charged_wherever_somebody_who_would_pay_gets_nothing(utility, budget):
    assume(budget >= utility.floor.sum())
    found = RepairedShadowPrice().allocate(utility, budget)
    refused = found.abandoned(utility) & (utility.choke_prices > 1e-9)
    assert found.price > 0 or not refused.any()


def test_what_is_free_is_not_abandoned():
    curves = MeasuredCurve([[0, 2], [0, 2]], [[1, 1], [0, 1]])
    assert ShadowPrice().allocate(curves, 0).abandoned(curves).tolist() == [False, True]


def test_whole_outcomes_have_a_whole_bound():
    curves = MeasuredCurve([[2]], [[1], [1], [1]])
    assert clear(curves, 5).upper_bound == 2.5
    assert RepairedShadowPrice().allocate(curves, 5).upper_bound == 2
    assert RepairedShadowPrice().allocate(MeasuredCurve([[2]], [[0.5]] * 3), 5).upper_bound == 1.25


def test_the_knapsacks_price_is_in_the_units_of_the_stream() -> None:
    levels, values = np.array([[0.0, 20, 40], [0, 40, 60]]), np.array([[0.0, 5, 6], [0, 4, 7]])
    curves = MeasuredCurve(levels, values)
    price = clear(curves, 60).price
    assert price > 0
    for unit in (1, 10, 20):
        assert KnapsackExact(unit=unit).allocate(curves, 60).price == pytest.approx(price)


def test_a_knapsack_that_may_not_work_says_what_it_did_not_exclude():
    rng = np.random.default_rng(1)
    curves = ShiftedSurge(rng.uniform(5, 60, 12), rng.uniform(0.5, 2, 12), rng.uniform(0.05, 0.2, 12))
    proven, given_up = (KnapsackExact(whole=True, most_work=most).allocate(curves, 200) for most in (6e8, 0))
    assert given_up.upper_bound >= proven.value >= given_up.value
    assert given_up.gap > 0
    assert proven.gap == 0


@given(st.lists(st.floats(0, 12), min_size=1, max_size=5), st.floats(1, 60), st.data())
def test_the_gap_is_at_most_what_one_agent_is_charged_for_its_threshold(thresholds, budget, data):
    n = len(thresholds)
    slope = data.draw(st.lists(st.floats(0.1, 3), min_size=n, max_size=n))
    utility = surge(thresholds, slope, 0.7)
    bound = clear(utility, budget).upper_bound
    assert bound - best_of_all_sets(utility, budget) <= (utility.choke_prices * utility.threshold).max() + 1e-9


# ---- what holds for every rule


@pytest.mark.parametrize("whole", [False, True], ids=["any", "whole"])
@pytest.mark.parametrize("name", ANY)
@given(utility=any_market(), budget=BUDGETS)
def test_no_rule_overspends_leaves_the_limits_or_beats_the_bound(name, whole, utility, budget):
    assume(budget >= utility.floor.sum())
    found = RULES.make(name, whole=whole).allocate(utility, budget)
    assert found.spend.shape == (utility.n_agents,)
    assert math.fsum(found.spend) <= budget * (1 + 1e-12)
    assert (found.spend >= utility.floor - 1e-9).all()
    assert (found.spend <= utility.cap + 1e-9).all()
    assert found.value <= found.upper_bound + 1e-9 * (1 + found.upper_bound)
    assert found.value == pytest.approx(utility.value(found.spend).sum(), abs=1e-9)
    if whole:
        assert (found.spend == np.floor(found.spend)).all()


@given(any_market(), BUDGETS)
def test_repair_never_loses_to_the_plain_price(utility, budget):
    assume(budget >= utility.floor.sum())
    for whole in (False, True):
        plain = ShadowPrice(whole=whole).allocate(utility, budget)
        assert RepairedShadowPrice(whole=whole).allocate(utility, budget).value >= plain.value


@given(any_market(), BUDGETS, st.floats(0, 3))
def test_every_price_proves_a_bound_and_the_clearing_price_the_best(utility, budget, price):
    assume(budget >= utility.floor.sum())
    best = clear(utility, budget).upper_bound
    spend = utility.demand(price)
    bound = price * budget + (utility.value(spend) - price * spend).sum()
    assert bound >= best - 1e-7 * (1 + abs(best))


@given(any_market(), BUDGETS)
def test_a_lower_price_than_the_clearing_price_would_overspend(utility, budget):
    assume(budget >= utility.floor.sum())
    market = clear(utility, budget)
    assert market.spend.sum() <= budget
    if market.price > 1e-6:
        assert utility.demand(market.price * (1 - 1e-6)).sum() >= budget * (1 - 1e-6)


@given(surges(), BUDGETS)
def test_the_funded_have_the_price_as_their_marginal_value(utility, budget):
    market = clear(utility, budget)
    funded = (market.spend > 0) & (market.price < utility.slope)
    np.testing.assert_allclose(utility.marginal(market.spend)[funded], market.price, atol=1e-7)


# ---- invariances


@pytest.mark.parametrize(
    "name", [name for name in ANY if name not in ("greedy", "cascade", "value-of-computation")]
)  # those have ties between different agents, or are a queue, whose order is the point
@given(utility=surges(), budget=st.integers(1, 60))
def test_the_order_of_different_agents_does_not_matter(name, utility, budget):
    assume(len({*zip(utility.threshold, utility.slope, utility.decay, strict=True)}) == utility.n_agents)
    turned = utility.take(slice(None, None, -1))
    one, other = RULES.make(name).allocate(utility, budget), RULES.make(name).allocate(turned, budget)
    assert one.value == pytest.approx(other.value, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["uniform", "proportional", "shadow-price", "shadow-price-repaired", "oracle"])
@given(utility=surges(), budget=st.integers(1, 60), unit=st.sampled_from([0.25, 3.0, 1000.0]))
def test_the_unit_of_the_budget_does_not_matter(name, utility, budget, unit):
    here = RULES.make(name).allocate(utility, budget)
    there = RULES.make(name).allocate(utility.rescaled(unit), budget / unit)
    assert there.value == pytest.approx(here.value, rel=1e-6, abs=1e-9)
    assert there.upper_bound == pytest.approx(here.upper_bound, rel=1e-6)


@given(surges(), st.integers(1, 60), st.floats(0.1, 10))
def test_the_unit_of_value_scales_price_value_and_bound(utility, budget, factor):
    scaled = ShiftedSurge(utility.threshold, utility.slope * factor, utility.decay)
    here, there = ShadowPrice().allocate(utility, budget), ShadowPrice().allocate(scaled, budget)
    assert there.price == pytest.approx(here.price * factor, rel=1e-6, abs=1e-12)
    assert there.upper_bound == pytest.approx(here.upper_bound * factor, rel=1e-6)


@given(surges(), st.integers(1, 40), st.integers(2, 4))
def test_twice_the_stream_and_twice_the_budget_clear_at_the_same_price(utility, budget, copies):
    here, there = (
        clear(utility, budget),
        clear(utility.take(np.tile(np.arange(utility.n_agents), copies)), budget * copies),
    )
    assert there.price == pytest.approx(here.price, rel=1e-9, abs=1e-12)
    assert there.upper_bound == pytest.approx(here.upper_bound * copies, rel=1e-9)


@given(any_market(), st.integers(0, 30), st.integers(0, 30))
def test_more_budget_never_proves_less_and_never_costs_more(utility, budget, more):
    assume(budget >= utility.floor.sum())
    small, large = clear(utility, budget), clear(utility, budget + more)
    assert large.price <= small.price * (1 + 1e-9)
    assert large.upper_bound >= small.upper_bound - 1e-9


# ---- the rules one by one


def test_proportional_gives_twice_to_those_who_need_twice():
    assert Proportional().allocate(surge([100, 200]), 600).spend == pytest.approx([200, 400])
    assert Proportional(np.array([3.0, 1.0])).allocate(surge([100, 200]), 600).spend == pytest.approx([450, 150])
    assert Proportional().allocate(surge([0, 0]), 600).spend == pytest.approx([300, 300])


def test_what_a_cap_takes_from_one_the_others_get():
    curves = surge([1, 1, 1]).within(cap=np.array([100.0, np.inf, np.inf]))
    assert Uniform().allocate(curves, 600).spend == pytest.approx([100, 250, 250])
    assert Uniform().allocate(surge([1, 1]).within(floor=np.array([0.0, 50.0])), 60).spend == pytest.approx([10, 50])


def test_greedy_goes_on_after_a_step_that_does_not_fit():
    curves = MeasuredCurve(np.array([[10.0], [6], [3]]), np.array([[11.0], [6], [2]]))
    assert Greedy().allocate(curves, 13).spend.tolist() == [10, 0, 3]
    assert Greedy().allocate(curves, 9).spend.tolist() == [0, 6, 3]


@given(measured(), BUDGETS)
def test_greedy_on_steps_loses_at_most_one_step(utility, budget):
    """With steps of falling rates, the first that does not fit bounds what is lost (Dantzig 1957)."""
    found, steps = Greedy().allocate(utility, budget), utility.steps()
    assert found.upper_bound - found.value <= (steps.gain.max() if len(steps.gain) else 0) + 1e-9


def test_a_cascade_takes_the_doubtful_further():
    curves = MeasuredCurve(np.array([[2.0, 6.0]]), np.array([[1.0, 1.0], [0.2, 1.0], [0.5, 1.0]]))
    assert Cascade((2, 6)).allocate(curves, 10).spend.tolist() == [2, 6, 2]
    assert Cascade((2, 6)).allocate(curves, 14).spend.tolist() == [2, 6, 6]
    assert Cascade((2, 6), np.array([1.0, 0, 0.5])).allocate(curves, 10).spend.tolist() == [6, 2, 2]


def test_a_cascade_that_begins_anew_pays_for_every_try_and_gets_the_last():
    curves = MeasuredCurve(np.array([[2.0, 6.0]]), np.array([[1.0, 1.0], [0.2, 0.9]]))
    found = Cascade((2, 6), restart=True).allocate(curves, 10)
    assert found.spend.tolist() == [2, 8]
    assert found.value == pytest.approx(1.9)


def test_stages_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="stages must rise"):
        Cascade((4, 2))


def test_elastic_split_sets_an_answer_aside_for_all():
    curves = MeasuredCurve(np.array([[2.0, 10.0]]), np.array([[0.5, 0.6], [0.5, 1.0]]))
    alone = ShadowPrice().allocate(curves, 12)
    split = ElasticSplit(2, ShadowPrice()).allocate(curves, 12)
    assert alone.spend.sum() <= 12
    assert split.spend.tolist() == [2, 10]
    assert ElasticSplit(20).allocate(curves, 12).spend == pytest.approx([6, 6])


def test_whoever_looks_only_a_stretch_ahead_does_not_begin_behind_a_long_threshold():
    curves = surge([10, 400])
    assert ValueOfComputation(price=0.01, stretch=50).allocate(curves, 1000).spend[1] == 0
    assert ValueOfComputation(price=0.01, stretch=500).allocate(curves, 1500).spend[1] == 500


@given(surges(), st.floats(0.01, 1), st.floats(0.5, 5))
def test_value_of_computation_stops_where_a_stretch_is_not_worth_its_price(utility, price, stretch):
    found = ValueOfComputation(price, stretch).allocate(utility, 1e4)
    gain = utility.value(found.spend + stretch) - utility.value(found.spend)
    assert (gain < price * stretch + 1e-9).all() | (gain <= 0).all()


def test_a_queue_serves_in_order_whom_it_can():
    curves = MeasuredCurve(np.array([[6.0], [5], [4]]), np.array([[1.0], [1], [1]]))
    assert ValueOfComputation(price=0, stretch=6).allocate(
        curves.within(cap=np.array([6.0, 5, 4])), 10
    ).spend.tolist() == [6, 0, 4]


def test_an_oracle_knows_what_others_guess():
    truth, guess = surge([400, 100]), surge([100, 400])
    misled = truth.value(ShadowPrice().allocate(guess, 350).spend).sum()
    knowing = Oracle(truth).allocate(guess, 350)
    assert misled < knowing.value
    assert knowing.value == RepairedShadowPrice().allocate(truth, 350).value
    with pytest.raises(ValueError, match="3 agents"):
        Oracle(surge([1, 2, 3])).allocate(guess, 350)


@given(surges(largest=4), st.floats(1, 40), st.data())
def test_repricing_a_set_is_the_best_of_that_set(utility, budget, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=utility.n_agents, max_size=utility.n_agents)))
    found = repriced(utility, budget, mask)
    if found is None:
        assert not mask.any() or utility.threshold[mask].sum() > budget
        return
    _, spend = found
    assert spend.sum() <= budget * (1 + 1e-9)
    shares = [x for x in itertools.product(np.linspace(0, 1, 9), repeat=int(mask.sum())) if sum(x) <= 1]
    room = budget - utility.threshold[mask].sum()
    for share in shares:
        other = np.zeros(utility.n_agents)
        other[mask] = utility.threshold[mask] + room * np.array(share)
        assert utility.value(other).sum() <= utility.value(spend).sum() + 1e-7


# ---- bad input and edges


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize("budget", [-1.0, math.nan, math.inf])
def test_a_budget_that_is_no_amount_is_refused(name, budget):
    with pytest.raises(ValueError, match="the budget must be finite and at least 0"):
        RULES.make(name).allocate(surge([1, 2]), budget)


@pytest.mark.parametrize("name", [*ANY, "exact-scan"])
def test_a_budget_of_nothing_buys_nothing(name):
    found = RULES.make(name).allocate(surge([100, 200]), 0)
    assert found.spend.tolist() == [0, 0]
    assert found.value == 0
    assert found.upper_bound == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", [*ANY, "exact-scan"])
def test_a_budget_below_the_cheapest_threshold_brings_nothing(name):
    found = RULES.make(name).allocate(surge([100, 200]), 50)
    assert found.value == 0
    assert found.spend.sum() <= 50


@pytest.mark.parametrize("name", [*ANY, "exact-scan"])
def test_one_query_alone_is_served(name):
    found = RULES.make(name).allocate(surge([100]), 300)
    assert found.value == pytest.approx(surge([100]).value(np.array([300.0]))[0], rel=1e-3)


@pytest.mark.parametrize("name", ANY)
def test_floors_above_the_budget_are_refused_not_overspent(name):
    with pytest.raises(ValueError, match="floors alone take 200 of a budget of 150"):
        RULES.make(name).allocate(surge([1, 2]).within(floor=100), 150)


@pytest.mark.parametrize("name", [*ANY, "exact-scan"])
def test_many_identical_queries_are_no_special_case(name):
    n = 2_000
    found = RULES.make(name).allocate(surge(np.full(n, 300.0)), 300 * n)
    assert found.spend.sum() <= 300 * n
    if name in ("shadow-price-repaired", "exact-scan", "knapsack-exact", "oracle"):
        assert found.value == pytest.approx(found.upper_bound, rel=1e-3)


@pytest.mark.parametrize("rule", [ShadowPrice(), ExactScan(), RepairedShadowPrice(n_tries=0)])
def test_a_million_identical_queries_are_shared_out_without_overspending(rule):
    n = 1_000_000
    found = rule.allocate(surge(np.full(n, 300.0)), 100.0 * n)
    assert found.spent <= 100.0 * n
    assert found.value <= found.upper_bound * (1 + 1e-9)
    if not isinstance(rule, ShadowPrice):
        assert found.value == pytest.approx(found.upper_bound, rel=1e-4)


def test_caps_that_differ_make_the_smallest_thresholds_a_bad_choice():
    """Why the scan refuses them: the query with the larger threshold is the better one."""
    curves = surge([50, 60]).within(cap=np.array([60.0, 400.0]))
    with pytest.raises(ValueError, match="one cap for all"):
        ExactScan().allocate(curves, 120)
    found = KnapsackExact(whole=True).allocate(curves, 120)
    assert found.spend.tolist() == [0, 120]
    assert found.gap == 0


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        (surge([1, 2], [1.0, 2.0]), "one slope and one decay"),
        (Truncation(np.array([1.0]), np.array(0.1)), "one slope and one decay"),
        (surge([1, 2]).within(floor=1), "floors of 0"),
        (surge([1, 2]).within(cap=np.array([5.0, 6.0])), "one cap for all"),
    ],
)
def test_exact_scan_refuses_what_its_argument_does_not_cover(curves, message):
    with pytest.raises(ValueError, match=message):
        ExactScan().allocate(curves, 10)


def test_an_unknown_rule_is_told_the_known_ones():
    with pytest.raises(ValueError, match=r"one of shadow-price, .*got 'clear'"):
        RULES.make("clear")
