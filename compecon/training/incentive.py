"""An incentive training from end to end: gates at a price until the budget is met, compaction, recovery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compecon.callbacks import StepCallbacks, StepRecord
from compecon.checkpoints.inputs import read
from compecon.compression.architectures import compact_class
from compecon.compression.compact_model import compact
from compecon.compression.importance import make_importance
from compecon.compression.units import UnitMacs, Units, share_of_macs, unit_macs
from compecon.evaluation.as_given import given_back
from compecon.evaluation.predict_rows import batches_of
from compecon.incentives.costs import COSTS
from compecon.incentives.costs.cost import ComputeCost
from compecon.incentives.gates import Gates, gated, starting_gates
from compecon.latency import Workload
from compecon.tasks.encode_rows import Features, mean_length
from compecon.tasks.objectives import Objective
from compecon.training.fine_tuning import Teacher, fine_tune
from compecon.training.incentive_settings import OPEN, IncentiveSettings
from compecon.training.phases import Phase
from compecon.training.trainer import Charge
from compecon.training.training_settings import FineTuneResult, FineTuneSettings

CALIBRATION_ROWS = 512
_UNAIMED = (
    0.8  # expected share of all units' MACs at which gates begin that have no target: a low price must leave them open
)
_ALMOST_DENSE = 0.98  # the same at most: hard-concrete gates are never all open for certain


@dataclass(frozen=True, eq=False)
class IncentiveResult:
    """What came of an incentive training.

    Attributes:
        model: The smaller model, trained; the model that was given if the cost removes no work.
        values: What each unit of the given model was multiplied by when it was compacted; 0 is gone.
        share: Share of the MACs of heads and neurons that is left.
        met: Whether the gates came down to the target by themselves; otherwise they were cut to it if it is one of
            MACs, and left as they are if it is one of time.
        price: Price at the end of the priced steps.
        priced: The priced steps.
        recovery: The steps after compaction.
    """

    model: PreTrainedModel
    values: Units
    share: float
    met: bool
    price: float
    priced: FineTuneResult
    recovery: FineTuneResult | None


def train_incentive(  # noqa: PLR0913 - a training has this many parts
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    objective: Objective,
    incentive: IncentiveSettings,
    settings: FineTuneSettings,
    *,
    teacher: Teacher | None = None,
    watch: StepCallbacks = StepCallbacks(),  # noqa: B008 - frozen
) -> IncentiveResult:
    """Price a model's heads and neurons, remove those that do not pay, and train what is left.

    Gates are trained together with the weights until the deterministic gates meet the target; then they are frozen,
    which here means that the model is compacted: the remaining steps run on the smaller model and cost less.

    With a folder in `watch` and `settings.save_every`, a training that was left goes on where it was, in either phase.
    Gates begin by importance again then, and are overwritten by those of the checkpoint; a priced phase that had ended
    is not trained again.

    Args:
        model: A model that knows the task already, or is to learn it now; changed in place.
        tokenizer: Its tokenizer.
        rows: Encoded rows, with soft targets to distil from a teacher's logits.
        objective: The loss.
        incentive: What is priced.
        settings: How to train; its steps are those of both phases together.
        teacher: Model whose hidden states are imitated, if `settings.hidden_weight` is above 0.
        watch: Callbacks of each step; its folder gets a folder for each phase.

    Returns:
        The smaller model, what each unit was multiplied by, and how the training went.

    Raises:
        UnsupportedModelError: If what is left of the model could not be built; before anything is trained.
        ValueError: If a setting is out of its range, or the target cannot be reached with the chosen units.
        FloatingPointError: As for `fine_tune`.
        TrainingInterruptedError: As for `fine_tune`; call it again with the same model and folder to go on.

    Examples:
        >>> import numpy as np
        >>> from compecon import load_checkpoint, train_incentive
        >>> from compecon.tasks import Split, encode
        >>> from compecon.tasks.objectives import classification_loss
        >>> from compecon.training import FineTuneSettings, IncentiveSettings
        >>> checkpoint = load_checkpoint("sentiment", "cpu")
        >>> split = Split(texts=("a delight", "a bore"), pairs=(), targets=np.array([1, 0]))
        >>> rows = encode(checkpoint.tokenizer, split, max_tokens=32)
        >>> result = train_incentive(  # two steps: one with a price, one of recovery
        ...     checkpoint.model, checkpoint.tokenizer, rows, classification_loss(),
        ...     IncentiveSettings(target=0.45, start="magnitude"),
        ...     FineTuneSettings(steps=2, batch_size=2, precision="float32", device="cpu"),
        ... )
        >>> round(result.share, 2), type(result.model).__name__
        (0.45, 'CompactBertForSequenceClassification')
    """
    n_tokens, total = incentive.n_tokens or mean_length(rows), settings.total_steps(len(rows))
    work = Workload(n_tokens, settings.batch_size, device=str(model.device))
    cost, macs = COSTS.load(incentive.cost).for_training(model, work), unit_macs(model, n_tokens)

    def run(
        which: PreTrainedModel, how: FineTuneSettings, watch: StepCallbacks, charge: Charge | None = None
    ) -> FineTuneResult:
        """A phase whose end is kept if checkpoints are."""
        folder = None if how.save_every is None else watch.folder
        return Phase(folder, {"settings": asdict(how), "incentive": asdict(incentive)}).run(
            which,
            lambda: fine_tune(which, tokenizer, rows, objective, how, teacher=teacher, charge=charge, watch=watch),
            charge,
        )

    if not COSTS[incentive.cost].removes_work:
        with given_back(model), cost.metered(model, None) as read:
            charge = Charge(incentive.first(), read)
            priced = run(model, settings, watch.part("priced", 0, total), charge)
        return IncentiveResult(model, macs.map(torch.ones_like), 1.0, True, charge.price.value, priced, None)
    compact_class(type(model))  # before anything is trained
    first = replace(settings, steps=max(1, round(incentive.price_share * total)), decay=False)
    worth = _worth(model, tokenizer, rows, objective, incentive.start, seed=settings.seed)
    gates = _gates(worth, incentive, macs).to(model.device)
    with ExitStack() as stack:
        stack.enter_context(given_back(model))
        stack.enter_context(gated(model, gates))
        left = _left(cost, gates, macs)
        charge = Charge(incentive.first(), stack.enter_context(cost.metered(model, gates)), left)
        priced = run(model, first, replace(watch.part("priced", 0, total), done=_reached(incentive.target)), charge)
    met = incentive.target is None or left() <= incentive.target
    forced = incentive.target is not None and cost.is_of_macs
    values = gates.hardened(macs, incentive.target or 1.0) if forced else gates.values()
    smaller = compact(model, values)
    recovery = None
    if total > priced.steps:
        watch.between(smaller, priced.steps)
        rest = replace(settings, steps=total - priced.steps, seed=settings.seed + 1)
        recovery = run(smaller, rest, watch.part("recovery", priced.steps, total))
    return IncentiveResult(smaller, values, share_of_macs(values, macs), met, charge.price.value, priced, recovery)


def calibration(
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    *,
    batch_size: int = 32,
    device: torch.device | str = "cpu",
) -> Iterator[Mapping[str, Tensor]]:
    """Batches of evenly spaced rows, like lengths together, with their targets, to measure importance on."""
    every = max(1, len(rows) // CALIBRATION_ROWS)
    chosen = sorted(rows[::every][:CALIBRATION_ROWS], key=lambda row: len(row["input_ids"]))
    return batches_of(tokenizer, chosen, batch_size, device)


def batch_loss(objective: Objective) -> Callable[[nn.Module, Mapping[str, Tensor]], Tensor]:
    """An objective as a loss of a model on a batch."""

    def loss(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        output: Any = read(model, batch)
        return objective(output.logits.float(), batch["labels"], batch.get("soft_targets"))

    return loss


def _worth(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    objective: Objective,
    start: str,
    *,
    seed: int,
) -> Units | None:
    """What each unit is worth by the importance that gates begin by; None if they begin open."""
    if start == OPEN:
        return None
    batches = list(calibration(tokenizer, rows, device=model.device))
    return make_importance(start, seed=seed).score(model, batches, batch_loss(objective))


def _gates(worth: Units | None, incentive: IncentiveSettings, macs: UnitMacs) -> Gates:
    if worth is None:
        logits = macs.map(lambda part: torch.full_like(part, 3.0))
    else:
        floor = incentive.target
        whole = float(macs.total()) / macs.dense
        share = _UNAIMED * whole if floor is None else floor + incentive.start_at * (whole - floor)
        share = min(share, _ALMOST_DENSE * whole)
        logits = starting_gates(worth, macs, share, spread=incentive.spread)
    return Gates(logits, learn_heads=incentive.units != "neurons", learn_neurons=incentive.units != "heads")


def _reached(target: float | None) -> Callable[[StepRecord], bool]:
    return lambda record: target is not None and record.share <= target


def _left(cost: ComputeCost, gates: Gates, macs: UnitMacs) -> Callable[[], float]:
    """Share of what is priced that the deterministic gates leave."""
    there = macs.to(gates.device)
    return lambda: cost.share(gates.values(), there)
