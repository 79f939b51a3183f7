"""One model in every size: how long a switch takes, a forward pass of each size, and what one training costs."""

from __future__ import annotations

from functools import partial
from itertools import cycle
from typing import Any

import torch

from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bundled_checkpoint, random_rows
from compecon.benchmarks.timing import interleaved, one_thread, ratios, seconds_of
from compecon.checkpoints.inputs import inputs_of, stacked
from compecon.compression.compact_model import compact
from compecon.compression.elastic.elastic_model import ElasticModel
from compecon.compression.elastic.nested_sizes import nested_sizes
from compecon.compression.elastic.price_list import PriceList
from compecon.compression.elastic.reorder import reorder
from compecon.compression.importance.magnitude import Magnitude
from compecon.compression.units import unit_macs
from compecon.training.elastic_schedule import elastic_schedule
from compecon.training.elastic_settings import BUDGETS, ElasticSettings

_TEXTS = {(1, 32): 0.40, (8, 64): 0.36}  # texts × tokens, and the largest time at 0.3 of the MACs against dense
_SIZE = 0.3
_SWITCH_MS = 0.5
_TRAINING = 1.3  # times the MACs of a dense training of as many steps
_STEPS = 1000


def measure(settings: Settings) -> list[Table]:
    """The bundled sentiment model in all sizes; which units are in which does not matter here."""
    checkpoint = bundled_checkpoint()
    with one_thread():
        elastic = _elastic(checkpoint.model)
        figures = [*_switches(elastic, settings), _training_cost(elastic)]
        for (n_texts, n_tokens), goal in _TEXTS.items():
            rows = random_rows(checkpoint.model.config.vocab_size, n_rows=n_texts, n_tokens=n_tokens)
            figures += _forwards(checkpoint.model, elastic, stacked(rows), f"{n_texts} × {n_tokens}", goal, settings)
    notes = (
        "Float32, one thread. Sizes by magnitude, untrained: time follows from the sizes alone. Dense and elastic take "
        "turns; a ratio compares neighbours of one round.",
        f"A training of {_STEPS:,} steps with the default sizes; heads and neurons alone, passes over calibration rows "
        "not counted.",
    )
    return [Table("elastic: one model in every size", tuple(figures), notes)]


def _elastic(model: Any) -> ElasticModel:
    macs = unit_macs(model, 32)
    values = Magnitude().score(model, (), lambda *_: torch.zeros(()))
    prices, order = PriceList.of(values, macs, nested_sizes(values, macs, BUDGETS), 32)
    whole = compact(model, macs.map(torch.ones_like))
    reorder(whole, order)
    return ElasticModel(whole, prices)


def _switches(elastic: ElasticModel, settings: Settings) -> list[Figure]:
    first = tuple(1000 * seconds_of(partial(elastic.at, budget)) for budget in BUDGETS)
    budgets = cycle(BUDGETS)
    again = tuple(1000 * seconds_of(lambda: elastic.at(next(budgets))) for _ in range(settings.pick(200, 20)))
    return [
        Figure("a size for the first time", "ms", first),
        Figure("switch to a size that was there before", "ms", again, Goal("median", _SWITCH_MS)),
    ]


def _training_cost(elastic: ElasticModel) -> Figure:
    schedule = elastic_schedule(ElasticSettings(), _STEPS, seed=0)
    share = sum(elastic.prices.share(elastic.prices.bought[budget]) for budget in schedule) / _STEPS
    return Figure("MACs of one training of all sizes, times a dense one's", "×", (share,), Goal("median", _TRAINING))


def _forwards(
    dense: Any, elastic: ElasticModel, batch: Any, texts: str, goal: float, settings: Settings
) -> list[Figure]:
    read = inputs_of(dense, batch)
    small = elastic.at(_SIZE)
    with torch.inference_mode():
        sides = {"dense": lambda: dense(**read), "small": lambda: small(**read)}
        times = interleaved(sides, rounds=settings.pick(100, 10))
    return [
        Figure(f"{texts} tokens: dense forward pass", "ms", tuple(times["dense"])),
        Figure(
            f"  at {_SIZE:g} of the MACs, times that", "×", ratios(times["small"], times["dense"]), Goal("median", goal)
        ),
    ]
