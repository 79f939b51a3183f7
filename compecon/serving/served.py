"""Texts answered by one elastic model: a price decides the size that reads each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from compecon.allocation.clearing import clear
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.checkpoints.load import Checkpoint
from compecon.errors import CheckpointError, TextError
from compecon.evaluation.evaluate_model import within
from compecon.evaluation.predict_rows import predict
from compecon.flops import forward_macs
from compecon.serving.router import Router, confidence
from compecon.tasks.encode_rows import Features, encode
from compecon.tasks.task import Split

_MILLION = 1e6
Places = NDArray[np.intp]


@final
@dataclass(frozen=True, eq=False)
class Routed:
    """Answers to texts, in the order of the texts.

    Attributes:
        logits: Of the size that answered each text, float32 on the CPU, shape (text, class).
        sizes: That size, as a budget of the checkpoint, shape (text,).
        macs: Million MACs that each text took, those of a first look included, shape (text,).
        price: Correct answers that a million MACs had to buy.
    """

    logits: Tensor
    sizes: Numbers
    macs: Numbers
    price: float


def route(  # noqa: PLR0913 - one argument each
    checkpoint: Checkpoint,
    texts: Sequence[str],
    router: Router,
    *,
    price: float | None = None,
    budget: float | None = None,
    pairs: Sequence[str] = (),
    batch_size: int = 64,
    max_tokens: int = 512,
) -> Routed:
    """Answer texts, each at the size of an elastic checkpoint that is worth its compute.

    A router tells what each size is worth to a text before it is answered. Every text is read by the smallest size at
    least; it gets a larger one where that is expected to bring more correct answers for its MACs than the price asks.
    Texts of one size are read together, in batches of similar length. If the router looks at the confidence of the
    smallest size, that size reads every text first, and what it took counts.

    Args:
        checkpoint: An elastic classifier.
        texts: Any number of texts, none of them empty.
        router: From `fit_router`, for this checkpoint.
        price: Correct answers that a million MACs must buy, finite and at least 0; 0 asks for the best answer.
        budget: Or million MACs that a text may take on average, finite; the price then follows from all texts at hand.
        pairs: Second texts, one for each, for models of pairs.
        batch_size: Texts at a time, at least 1.
        max_tokens: Longer texts are refused, as are those that are too long for the checkpoint.

    Returns:
        The answers, in the order of the texts.

    Raises:
        CheckpointError: If the checkpoint has a single size, or the router is for another one.
        TextError: If a text is empty or too long.
        ValueError: If not either a price or a budget is given, it is out of its range, or the budget does not pay for
            the smallest size.

    Examples:
        >>> from dataclasses import replace
        >>> from compecon import load_checkpoint, route, train_elastic
        >>> from compecon.serving import fit_router
        >>> from compecon.tasks import Split, Task, encode
        >>> from compecon.tasks.objectives import classification_loss
        >>> from compecon.tasks.task_metrics import accuracy
        >>> from compecon.training import ElasticSettings, FineTuneSettings
        >>> given = load_checkpoint("sentiment", "cpu")
        >>> rows = Split(texts=("a delight", "a bore"), pairs=(), targets=np.array([1, 0]))
        >>> task = Task("mine", "classification", ("negative", "positive"), {"dev": rows}, (accuracy,))
        >>> made = train_elastic(  # two steps, where `compecon train --elastic` takes a thousand
        ...     given.model, given.tokenizer, encode(given.tokenizer, rows, max_tokens=32), classification_loss(),
        ...     ElasticSettings(budgets=(1.0, 0.5)),
        ...     FineTuneSettings(steps=2, batch_size=2, precision="float32", device="cpu"),
        ... ).elastic
        >>> checkpoint = replace(given, model=made.model, elastic=made)
        >>> answers = route(checkpoint, ["a joy", "a bore"], fit_router(checkpoint, task), price=0.1)
        >>> answers.logits.shape, len(answers.sizes)
        (torch.Size([2, 2]), 2)

    References:
        Chen et al. (2023), "FrugalGPT", arXiv 2305.05176, asks larger models where smaller ones doubt; here these are
        sizes of one model, and a price on MACs says when it is worth it.
    """
    _check_price(price, budget)
    if checkpoint.elastic is None or router.digest != checkpoint.digest:
        checkpoint.at(router.sizes[0])  # says that there is a single size
        raise CheckpointError(f"the router was measured with another checkpoint than {checkpoint.name}. Fit one to it.")
    rows = _encoded(checkpoint, texts, pairs, max_tokens)
    if not rows:
        return Routed(torch.empty(0, len(checkpoint.labels)), np.empty(0), np.empty(0), price or 0.0)
    smallest = checkpoint.at(router.sizes[0]).model
    levels, first = _costs(checkpoint, router, rows), None
    known = np.array([len(row["input_ids"]) for row in rows], dtype=np.float64)
    if router.looks:
        first = predict(smallest, checkpoint.tokenizer, rows, batch_size)
        known = confidence(first)
        levels[:, 1:] += levels[:, :1]
    place, paid = _chosen(levels, router.values(known), price, budget)
    logits = torch.empty(len(rows), len(checkpoint.labels)) if first is None else first.clone()
    for which, size in enumerate(router.sizes):
        mine = np.flatnonzero(place == which)
        if len(mine) and not (which == 0 and router.looks):
            few = [rows[each] for each in mine.tolist()]
            logits[mine] = predict(checkpoint.at(size).model, checkpoint.tokenizer, few, batch_size)
    return Routed(logits, np.array(router.sizes)[place], levels[np.arange(len(rows)), place], paid)


def _check_price(price: float | None, budget: float | None) -> None:
    if (price is None) == (budget is None):
        raise ValueError("give either a price, or a budget that it follows from.")
    name, given = ("price", price) if budget is None else ("budget", budget)
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not 0 <= float(given or 0) < math.inf:  # NaN too
        raise ValueError(f"{name} must be a finite number of at least 0, got {given!r}.")


def _encoded(checkpoint: Checkpoint, texts: Sequence[str], pairs: Sequence[str], max_tokens: int) -> Sequence[Features]:
    if isinstance(texts, str) or isinstance(pairs, str):
        raise ValueError("texts and pairs are lists of texts, got one text. Put it into a list.")
    if pairs and len(pairs) != len(texts):
        raise ValueError(f"each text needs its pair, got {len(texts):,} texts and {len(pairs):,} pairs.")
    if not len(texts):
        return ()
    empty = [place for place, text in enumerate(texts) if not text.strip()]
    if empty:
        raise TextError(f"text {empty[0] + 1:,} of {len(texts):,} is empty. Leave it out.")
    most = within(checkpoint, max_tokens)
    rows = encode(checkpoint.tokenizer, Split(tuple(texts), tuple(pairs), np.zeros(len(texts))), most + 1)
    long = [place for place, row in enumerate(rows) if len(row["input_ids"]) > most]
    if long:
        raise TextError(f"text {long[0] + 1:,} of {len(texts):,} has more than {most:,} tokens. Shorten it.")
    return rows


def _costs(checkpoint: Checkpoint, router: Router, rows: Sequence[Features]) -> Numbers:
    """Million MACs of each text at each size, shape (text, size)."""
    lengths, which = np.unique([len(row["input_ids"]) for row in rows], return_inverse=True)
    models = [checkpoint.at(size).model for size in router.sizes]
    table = np.array([[forward_macs(model, int(n)) for model in models] for n in lengths], dtype=np.float64)
    return table[which] / _MILLION


def _chosen(levels: Numbers, values: Numbers, price: float | None, budget: float | None) -> tuple[Places, float]:
    """The place of each text's size, and the price that decided it."""
    curves = MeasuredCurve(levels, values).within(floor=levels[:, 0])
    if price is None:
        assert budget is not None  # noqa: S101 - for the type checker
        least = float(levels[:, 0].mean())
        if budget < least:
            raise ValueError(f"the smallest size takes {least:.4g} million MACs of a text, more than {budget:g}.")
        market = clear(curves, budget * len(levels))
        price, spend = market.price, market.spend
    else:
        spend = curves.demand(price)
    return (levels <= spend[:, None] * (1 + 1e-12)).sum(axis=1) - 1, float(price)
