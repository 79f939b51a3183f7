"""What a job will take, known once its checkpoint is loaded and its text read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from app.models.latency_job import LatencyJob
from app.models.sweep_job import SweepJob
from app.models.watchdog import pass_seconds
from compecon.attention.batching import rows_at_once
from compecon.views.attention.budget_grid import pass_bytes, peak_bytes, scope_for
from compecon.views.attention.frames import Message

if TYPE_CHECKING:
    from compecon.checkpoints.encode_text import Encoded
    from compecon.checkpoints.load import Checkpoint

AnyJob: TypeAlias = SweepJob | LatencyJob
_LANGUAGE = ("causal-lm", "masked-lm")  # kinds that score every word at every token


@final
@dataclass(frozen=True)
class Prepared:
    """A job that can begin."""

    messages: Callable[[Callable[[], bool]], Iterator[Message]]  # given whether somebody still reads them
    need: int  # bytes beside the model
    within_s: float  # most that may pass between two messages
    extent: str  # what takes the memory, in words


def prepare(job: AnyJob, checkpoint: Checkpoint, encoded: Encoded) -> Prepared:
    """Work out what a job takes.

    Raises:
        CheckpointError: If the checkpoint does not have the size that the job is about.
    """
    return _sweep(job, checkpoint, encoded) if isinstance(job, SweepJob) else _latency(checkpoint, encoded)


def _sweep(job: SweepJob, checkpoint: Checkpoint, encoded: Encoded) -> Prepared:
    from compecon.views.attention.attention_stream import AttentionRequest, attention_stream  # noqa: PLC0415
    from compecon.views.attention.model_sizes import at_size  # noqa: PLC0415 - all of them import torch

    about = at_size(checkpoint, job.size).preflight
    n, layers, heads = len(encoded.tokens), about.layers, about.heads
    scope = scope_for(n, layers, heads, layer=min(job.layer, layers - 1), head=min(job.head, heads - 1))
    kept = None if about.heads_kept is None else tuple(map(len, about.heads_kept))
    need = peak_bytes(n, layers, heads, kept=kept, hidden=about.hidden_size, vocabulary=_scores(checkpoint))
    request = AttentionRequest(job.policy, scope, job.budgets, job.first, job.size)
    return Prepared(
        lambda wanted: attention_stream(checkpoint, encoded, request, wanted=wanted),
        need,
        pass_seconds(about.parameters, n * rows_at_once(n), need),
        f"{n} tokens × {layers} layers × {heads} heads",
    )


def _latency(checkpoint: Checkpoint, encoded: Encoded) -> Prepared:
    from compecon.views.attention.size_times import PASSES, size_times  # noqa: PLC0415 - torch

    n, about = len(encoded.tokens), checkpoint.preflight
    need = pass_bytes(n, hidden=about.hidden_size, vocabulary=_scores(checkpoint))
    return Prepared(
        lambda wanted: size_times(checkpoint, encoded, wanted=wanted),
        need,
        pass_seconds(about.parameters, PASSES * n, need),
        f"{n} tokens",
    )


def _scores(checkpoint: Checkpoint) -> int:
    return getattr(checkpoint.model.config, "vocab_size", 0) if checkpoint.kind in _LANGUAGE else 0
