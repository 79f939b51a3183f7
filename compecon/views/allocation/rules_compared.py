"""Rules side by side over budgets, and what each achieves for one of uniform's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from compecon.allocation.rules import RULES
from compecon.allocation.rules.oracle import Oracle
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.stats.pareto import pareto_front
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.rule_choices import rule_for, rules_for
from compecon.views.allocation.rule_view import BudgetPoint, budget_point, budget_points

ORACLE = "oracle"
UNIFORM = "uniform"
_EVERY = 3
_SAME = 1e-9
FEWEST = 5  # correct answers of uniform below which a ratio to it says nothing


@final
@dataclass(frozen=True)
class RuleCourse:
    """A rule over budgets.

    Attributes:
        name: Key of the rule.
        label: In words.
        points: At rising budgets, the same for every rule.
    """

    name: str
    label: str
    points: tuple[BudgetPoint, ...]


@final
@dataclass(frozen=True)
class RatioPoint:
    """A rule's correct answers for each of uniform's.

    Attributes:
        rule: In words.
        mean_budget: Per query.
        ratio: Above 0.
        n_uniform: Correct answers of uniform: what the ratio stands on.
    """

    rule: str
    mean_budget: float
    ratio: float
    n_uniform: int


def rule_courses(market: Market, *, with_oracle: bool) -> tuple[RuleCourse, ...]:
    """Every rule that fits, at every third budget of the bar.

    Args:
        market: Queries.
        with_oracle: Whether the shadow price by the true curves comes last: worth it if thresholds are predicted.
    """
    found = [RuleCourse(name, RULES[name].label, budget_points(market, name, _EVERY)) for name in rules_for(market)]
    if with_oracle:
        rule = Oracle(truth=market.truth, rule=ShadowPrice())
        points = tuple(budget_point(market, rule, place) for place in range(0, len(market.budgets), _EVERY))
        found.append(RuleCourse(ORACLE, RULES[ORACLE].label, points))
    return tuple(found)


def on_frontier(courses: tuple[RuleCourse, ...]) -> tuple[tuple[bool, ...], ...]:
    """Which points nobody should refuse, for each rule: no other uses less and answers more correctly."""
    points = [(point.used, -point.accuracy) for course in courses for point in course.points]
    front = iter(pareto_front(points).tolist())
    return tuple(tuple(next(front) for _ in course.points) for course in courses)


def hundreds(market: Market) -> tuple[RatioPoint, ...]:
    """The shadow price's ratio to uniform at each hundred tokens a query: where the draft figure has its points.

    Args:
        market: Of a mixture.
    """
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
    """Ratio to uniform at each budget where uniform has at least five correct answers.

    Args:
        courses: Of one market, uniform among them.
        n_queries: How many queries it has.
    """
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
