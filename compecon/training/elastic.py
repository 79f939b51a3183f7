"""One training for every size of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist

from compecon.callbacks import StepCallbacks
from compecon.compression.architectures import compact_class
from compecon.compression.compact_model import compact
from compecon.compression.elastic.elastic_model import ElasticModel
from compecon.compression.importance.fisher import Fisher
from compecon.compression.units import Units, unit_macs
from compecon.errors import CompeconError
from compecon.tasks.encode_rows import Features, mean_length
from compecon.tasks.objectives import Objective
from compecon.training.elastic_schedule import elastic_schedule
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.elastic_steps import ElasticSteps
from compecon.training.fine_tuning import Teacher, fine_tune
from compecon.training.incentive import batch_loss, calibration
from compecon.training.training_settings import FineTuneResult, FineTuneSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, eq=False)
class ElasticResult:
    """What came of an elastic training."""

    elastic: ElasticModel  # every size
    trained: FineTuneResult  # its steps
    valued_at: tuple[float, ...]  # budgets at whose size the units were valued, each on the calibration rows


def train_elastic(  # noqa: PLR0913 - a training has this many parts
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    objective: Objective,
    elastic: ElasticSettings,
    settings: FineTuneSettings,
    *,
    teacher: Teacher | None = None,
    watch: StepCallbacks = StepCallbacks(),  # noqa: B008 - frozen
) -> ElasticResult:
    """Train all sizes of a model at once: nested ones, each step on one of them.

    A size consists of the units that are worth most per MAC (diagonal Fisher information) among those of the next
    larger one, and every step runs the smaller model itself, so it costs what that costs. Large sizes are trained
    first; when a smaller one begins, its units are chosen on the weights as they are by then.

    With a folder in `watch` and `settings.save_every`, a training that was left goes on where it was.

    Args:
        model: A dense model that knows the task; it is left alone.
        tokenizer: Its tokenizer.
        rows: Encoded rows, with soft targets to distil from the dense model's logits.
        objective: The loss.
        elastic: The sizes.
        settings: How to train; its steps are those of all sizes together.
        teacher: Model whose hidden states are imitated, if `settings.hidden_weight` is above 0.
        watch: Callbacks of each step.

    Returns:
        A model that serves any budget from the smallest trained one to 1, and how the training went.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If a setting is out of its range, or a budget too small for any model.
        FloatingPointError: As for `fine_tune`.
        TrainingInterruptedError: As for `fine_tune`; call it again with the same model and folder to go on.

    Examples:
        >>> import numpy as np
        >>> from compecon import load_checkpoint, train_elastic
        >>> from compecon.tasks import Split, encode
        >>> from compecon.tasks.objectives import classification_loss
        >>> from compecon.training import ElasticSettings, FineTuneSettings
        >>> checkpoint = load_checkpoint("sentiment", "cpu")
        >>> split = Split(texts=("a delight", "a bore"), pairs=(), targets=np.array([1, 0]))
        >>> result = train_elastic(  # two steps, one of each size
        ...     checkpoint.model, checkpoint.tokenizer, encode(checkpoint.tokenizer, split, max_tokens=32),
        ...     classification_loss(), ElasticSettings(budgets=(1.0, 0.5)),
        ...     FineTuneSettings(steps=2, batch_size=2, precision="float32", device="cpu"),
        ... )
        >>> small = result.elastic.at(0.75)  # any budget between works
        >>> type(small).__name__
        'CompactBertForSequenceClassification'

    References:
        Yu et al. (2019), "Slimmable Neural Networks", arXiv 1812.08928; Hou et al. (2020), "DynaBERT", arXiv
        2004.04037. Here a size is a budget of MACs, spent where it is worth most, and not a width alike in all layers.
    """
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        raise CompeconError("An elastic training runs in one process. Start it without accelerate launch.")
    compact_class(type(model))
    schedule = elastic_schedule(elastic, settings.total_steps(len(rows)), settings.seed)
    loss, fisher = batch_loss(objective), Fisher()
    batches = list(calibration(tokenizer, rows, device=model.device))
    n_tokens = mean_length(rows)
    whole = compact(model, unit_macs(model, n_tokens).map(torch.ones_like))

    def worth(which: PreTrainedModel) -> Units:
        return fisher.score(which, batches, loss)

    sizes = ElasticSteps(whole, elastic.budgets, schedule, worth, n_tokens)
    trained = fine_tune(whole, tokenizer, rows, objective, settings, teacher=teacher, sizes=sizes, watch=watch)
    return ElasticResult(ElasticModel(whole, sizes.prices), trained, _valued_at(elastic, schedule))


def _valued_at(elastic: ElasticSettings, schedule: Sequence[float]) -> tuple[float, ...]:
    """The whole at first; then, as each smaller size begins, the smallest one so far."""
    found, smallest = [1.0], elastic.budgets[0]
    for budget in schedule:
        if budget < smallest:
            found.append(smallest)
            smallest = budget
    return tuple(found)
