"""What removing units brings: time against MACs, and how long it takes to choose and to remove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bundled_checkpoint, random_rows
from compecon.benchmarks.timing import interleaved, one_thread, ratios, seconds_of
from compecon.checkpoints.inputs import inputs_of
from compecon.compression.compact_model import compact
from compecon.compression.prune_model import prune
from compecon.compression.units import Units, share_of_macs, unit_macs
from compecon.tasks.encode_rows import Features
from compecon.tasks.objectives import classification_loss
from compecon.training.incentive import batch_loss, calibration

_BATCH, _TOKENS = 8, 64
_TARGET = 0.5  # of the MACs
_CALIBRATION_ROWS = 128
_GOAL = 1.25  # times the share of the MACs


def measure(settings: Settings) -> list[Table]:
    """The bundled sentiment model at half of its MACs."""
    checkpoint = bundled_checkpoint()
    n_rows = settings.pick(_CALIBRATION_ROWS, _BATCH)
    rows = random_rows(checkpoint.model.config.vocab_size, n_rows=n_rows, n_tokens=_TOKENS)
    rounds = {"forward": settings.pick(60, 8), "compact": settings.pick(10, 2), "prune": settings.pick(3, 1)}
    return [compaction_table(checkpoint.model, checkpoint.tokenizer, rows, rounds)]


def compaction_table(model: Any, tokenizer: Any, rows: Sequence[Features], rounds: Mapping[str, int]) -> Table:
    """Choose units by rows, a batch at least, remove them from a copy, and run both models in turns."""
    batches = list(calibration(tokenizer, rows, batch_size=_BATCH))
    values: list[Units] = []
    with one_thread():
        choosing = tuple(seconds_of(lambda: values.append(_chosen(model, batches))) for _ in range(rounds["prune"]))
        removing = tuple(seconds_of(lambda: compact(model, values[0])) for _ in range(rounds["compact"]))
        small = compact(model, values[0])
        read = inputs_of(model, batches[0])
        with torch.inference_mode():
            sides = {"dense": lambda: model(**read), "compact": lambda: small(**read)}
            times = interleaved(sides, rounds=rounds["forward"])
    share = share_of_macs(values[0], unit_macs(model, _TOKENS))
    by_macs = tuple(ratio / share for ratio in ratios(times["compact"], times["dense"]))
    figures = (
        Figure("dense forward pass", "ms", tuple(times["dense"])),
        Figure("compacted forward pass", "ms", tuple(times["compact"])),
        Figure("  times the dense one", "×", ratios(times["compact"], times["dense"])),
        Figure("  divided by the share of MACs that is left", "×", by_macs, Goal("median", _GOAL)),
        Figure("choosing units (Fisher)", "s", choosing),
        Figure("removing them (compact)", "s", removing),
    )
    notes = (
        f"{_BATCH} texts of {_TOKENS} tokens, float32, one thread, {share:.3f} of the MACs of heads and neurons left; "
        "embeddings, norms and Python's own time do not shrink.",
        f"Importance on {len(rows)} rows. Dense and compacted take turns; a ratio compares neighbours of one round.",
    )
    return Table("compaction: a smaller model against the dense one", figures, notes)


def _chosen(model: Any, batches: Sequence[Any]) -> Units:
    return prune(model, "fisher", _TARGET, n_tokens=_TOKENS, batches=batches, loss=batch_loss(classification_loss()))
