"""Every size of a model by one training, and by rivals whose trainings cost as many MACs together.

- ``elastic``: one training of nested sizes.
- ``apart``: each size pruned from the dense model by Fisher information, and trained by itself; ``apart taylor`` by
  Taylor importance.
- ``sequential``: each size pruned from the one before, and trained by itself.
- ``full``: as ``apart``, each size with all the steps: a reference that costs several times as much.
- ``gates``: each size by gates under a price that a dual ascent sets, with all the steps too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from compecon.flops import trained_macs
from compecon.training.arms import BACKWARD, Outcome, Start, calibration_macs, priced, pruned, recovered
from compecon.training.elastic import train_elastic
from compecon.training.elastic_schedule import elastic_schedule
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.incentive_settings import IncentiveSettings

RIVALS = ("apart", "apart taylor", "sequential", "full", "gates")
ARMS = ("elastic", *RIVALS)


@final
@dataclass(frozen=True, eq=False)
class SizeFamily:
    """A model for each budget, and what all of them cost together."""

    outcomes: Mapping[float, Outcome]
    training_macs: float  # of all passes of all trainings, those over calibration rows included


def elastic_family(start: Start, elastic: ElasticSettings, budgets: tuple[float, ...]) -> SizeFamily:
    """One training; of its sizes, those of some budgets."""
    result = train_elastic(
        start.model, start.tokenizer, start.rows, start.objective, elastic, start.settings, teacher=start.model
    )
    made, n_tokens = result.elastic, start.n_tokens
    steps = Counter(elastic_schedule(elastic, result.trained.steps, start.settings.seed))
    spent = sum(number * _step_macs(start, made.at(budget)) for budget, number in steps.items())
    spent += sum(
        calibration_macs(start) * trained_macs(made.at(budget), n_tokens) / trained_macs(start.model, n_tokens)
        for budget in result.valued_at
    )
    outcomes = {}
    for budget in budgets:
        number = made.prices.number(budget)
        outcomes[budget] = Outcome(
            made.at(budget),
            made.prices.kept(number),
            made.prices.share(number),
            steps=result.trained.steps,
            seconds=result.trained.seconds,
            training_macs=spent,
        )
    return SizeFamily(outcomes, spent)


def rival_family(start: Start, arm: str, elastic: ElasticSettings, ours: SizeFamily) -> SizeFamily:
    """The same budgets by a rival, for the training MACs of one elastic training; ``full`` and ``gates`` take more.

    Steps are in the proportion that the elastic training has, so many of them that all MACs are as many.

    Raises:
        ValueError: If there is no rival of that name.
    """
    if arm not in RIVALS:
        raise ValueError(f"there is no rival {arm!r}. Choose from {', '.join(RIVALS)}.")
    if arm == "gates":
        gated = {budget: _gated(start, budget, index) for index, budget in enumerate(ours.outcomes)}
        return _together(gated, sum(one.training_macs for one in gated.values()))
    budgets, total = tuple(ours.outcomes), start.settings.total_steps(len(start.rows))
    drawn = Counter(elastic_schedule(elastic, total, start.settings.seed))
    steps = {budget: total if arm == "full" else drawn[budget] for budget in budgets}
    if arm != "full":
        valued = calibration_macs(start) * (1 if arm != "sequential" else 1 + sum(budgets[:-1]))
        trained = sum(steps[budget] * _step_macs(start, ours.outcomes[budget].model) for budget in budgets)
        factor = (ours.training_macs - valued) / trained
        steps = {budget: max(1, round(number * factor)) for budget, number in steps.items()}
    method = "taylor" if arm == "apart taylor" else "fisher"
    outcomes: dict[float, Outcome] = {}
    spent, source = 0.0, start.model
    for index, budget in enumerate(budgets):
        bare = pruned(replace(start, model=source), method, budget)
        spent += bare.training_macs if index == 0 or arm == "sequential" else 0.0  # gradients are computed once
        outcome = recovered(_with(start, index, steps=steps[budget]), bare)
        spent += outcome.training_macs - bare.training_macs
        outcomes[budget] = outcome
        source = outcome.model if arm == "sequential" else source
    return _together(outcomes, spent)


def _together(outcomes: Mapping[float, Outcome], spent: float) -> SizeFamily:
    return SizeFamily({budget: replace(one, training_macs=spent) for budget, one in outcomes.items()}, spent)


def _gated(start: Start, budget: float, index: int) -> Outcome:
    return priced(_with(start, index), IncentiveSettings(target=budget))


def _with(start: Start, index: int, **changes: Any) -> Start:
    """The start of one of several trainings: each draws its own batches."""
    return replace(start, settings=replace(start.settings, seed=start.settings.seed * 100 + index, **changes))


def _step_macs(start: Start, model: object) -> float:
    texts = start.settings.batch_size * start.settings.accumulate
    return float(BACKWARD * texts * trained_macs(model, start.n_tokens, whole=bool(start.settings.hidden_weight)))
