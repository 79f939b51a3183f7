"""Rules side by side over budgets, and their correct answers relative to uniform's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from compecon.allocation.rules import RULES
from compecon.allocation.rules.oracle import Oracle
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.stats.pareto import pareto_front
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.rule_view import BudgetPoint, budget_point, budget_points, rule_for, rules_for

ORACLE = "oracle"
UNIFORM = "uniform"
_EVERY = 3
_SAME = 1e-9
FEWEST = 5  # correct answers of uniform below which a ratio to it says nothing


@final
@dataclass(frozen=True)
class RuleCourse:
    """A rule over budgets."""

    name: str  # key of the rule
    label: str  # in words
    points: tuple[BudgetPoint, ...]  # at rising budgets, the same for every rule


@final
@dataclass(frozen=True)
class RatioPoint:
    """A rule's correct answers relative to uniform's."""

    rule: str  # in words
    mean_budget: float  # per query
    ratio: float  # above 0
    n_uniform: int  # correct answers of uniform: the ratio says little where they are few


def rule_courses(market: Market, *, with_oracle: bool) -> tuple[RuleCourse, ...]:
    """Every rule that fits, at every third budget of the bar; the oracle last, worth it if thresholds are predicted."""
    found = [RuleCourse(name, RULES[name].label, budget_points(market, name, _EVERY)) for name in rules_for(market)]
    if with_oracle:
        rule = Oracle(truth=market.truth, rule=ShadowPrice())
        points = tuple(budget_point(market, rule, place) for place in range(0, len(market.budgets), _EVERY))
        found.append(RuleCourse(ORACLE, RULES[ORACLE].label, points))
    return tuple(found)


def on_frontier(courses: tuple[RuleCourse, ...]) -> tuple[tuple[bool, ...], ...]:
    """Which points of each rule are on the frontier: no other point uses less and answers more correctly."""
    points = [(point.used, -point.accuracy) for course in courses for point in course.points]
    front = iter(pareto_front(points).tolist())
    return tuple(tuple(next(front) for _ in course.points) for course in courses)


def hundreds(market: Market) -> tuple[RatioPoint, ...]:
    """The shadow price's ratio to uniform at each hundred tokens per query: where the draft figure has its points."""
    means = market.budgets / len(market.queries)
    places = [place for place, mean in enumerate(means) if mean > 0 and abs(mean / 100 - round(mean / 100)) < _SAME]
    courses = [
        RuleCourse(
            name, RULES[name].label, tuple(budget_point(market, rule_for(market, name), place) for place in places)
        )
        for name in (UNIFORM, "shadow-price")
    ]
    return ratios(tuple(courses), len(market.queries))


def ratios(courses: tuple[RuleCourse, ...], n_queries: int) -> tuple[RatioPoint, ...]:
    """Ratio to uniform, one of the courses, at each budget where uniform has at least five correct answers."""
    uniform = next(course for course in courses if course.name == UNIFORM)
    return tuple(
        RatioPoint(
            course.label, point.budget / n_queries, point.accuracy / base.accuracy, round(base.accuracy * n_queries)
        )
        for course in courses
        if course.name != UNIFORM
        for point, base in zip(course.points, uniform.points, strict=True)
        if base.accuracy * n_queries >= FEWEST
    )
