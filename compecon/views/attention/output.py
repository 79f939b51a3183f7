"""What a model predicts at one budget, and how far that is from its prediction when every key may be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from compecon.checkpoints.encode_text import Encoded
from compecon.checkpoints.inputs import require_finite
from compecon.checkpoints.load import Checkpoint

N_TOP = 5
_DECIMALS = 9  # of a class: the page works out a divergence from them


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """The part of a model's output that a person looks at."""

    kind: str  # the checkpoint's kind: classification, regression, causal-lm, masked-lm or encoder
    values: Tensor  # log-probabilities (position, label or token), nats; a score (1,); or a pooled embedding (hidden,)
    loss: float | None = None  # for a causal model, nats per token of the text itself

    def change_from(self, full: Reading) -> float:
        """How much the output moved.

        Returns:
            Kullback-Leibler divergence from ``full`` to this, in nats, averaged over positions; for a regression the
            absolute difference of the scores, in the score's unit; for a bare encoder one minus the cosine.
        """
        if self.kind == "regression":
            return float((self.values - full.values).abs().max())
        if self.kind == "encoder":
            return max(0.0, 1.0 - float(torch.cosine_similarity(self.values, full.values, dim=0)))
        kl = (full.values.exp() * (full.values - self.values)).sum(dim=-1).mean()
        return max(0.0, float(kl))  # rounding can leave -1e-8

    def flipped_from(self, full: Reading) -> bool:
        """Whether the first choice differs from that at full budget; never for scores and embeddings."""
        if self.kind in ("regression", "encoder"):
            return False
        return bool((self.values.argmax(-1) != full.values.argmax(-1)).any())


CHANGE_UNITS = {
    "classification": "KL to full budget, nats",
    "regression": "change in score",
    "causal-lm": "KL of the next token, nats",
    "masked-lm": "KL of the masked token, nats",
    "encoder": "1 − cosine to full budget",
}


def read_output(checkpoint: Checkpoint, encoded: Encoded, output: Any) -> Reading:
    """Pick what matters from a model's output for one text (batch size 1).

    Raises:
        CheckpointError: If a number in it is not finite.
    """
    reading = _picked(checkpoint, encoded, output)
    require_finite(reading.values, "The model's output for this text is")
    return reading


def _picked(checkpoint: Checkpoint, encoded: Encoded, output: Any) -> Reading:
    kind = checkpoint.kind
    if kind == "encoder":
        mask = encoded.batch["attention_mask"][0].unsqueeze(-1).to(torch.float32)
        hidden = output.last_hidden_state[0].float()
        return Reading(kind, (hidden * mask).sum(0) / mask.sum())
    logits = output.logits[0].float()
    if kind == "regression":
        return Reading(kind, logits)
    if kind == "classification":
        return Reading(kind, logits.log_softmax(-1).unsqueeze(0))
    log_p = logits.log_softmax(-1)
    ids = encoded.batch["input_ids"][0]
    if kind == "causal-lm":
        own = log_p[:-1].gather(-1, ids[1:, None]).mean() if len(ids) > 1 else None
        # A copy: a slice would keep the log-probabilities of all positions in memory.
        return Reading(kind, log_p[-1:].clone(), None if own is None else -float(own))
    masked = ids == checkpoint.tokenizer.mask_token_id
    return Reading(kind, log_p[masked] if bool(masked.any()) else log_p)


def output_fields(checkpoint: Checkpoint, encoded: Encoded, reading: Reading) -> dict[str, Any]:
    """The reading as JSON: probabilities of all labels, scores, or the likeliest tokens."""
    if reading.kind == "classification":
        return _class_fields(reading.values[0])
    if reading.kind == "regression":
        scores = [round(score, 6) for score in reading.values.tolist()]
        return {"score": scores[0], **({"scores": scores} if len(scores) > 1 else {})}
    if reading.kind == "encoder":
        return {}
    has_mask = reading.kind == "causal-lm" or checkpoint.tokenizer.mask_token_id in encoded.batch["input_ids"][0]
    if not has_mask:
        return {}
    top = reading.values[0].exp().topk(min(N_TOP, reading.values.shape[-1]))
    words = [checkpoint.tokenizer.decode([i]) for i in top.indices.tolist()]
    fields: dict[str, Any] = {"top": [[w, round(p, 6)] for w, p in zip(words, top.values.tolist(), strict=True)]}
    if reading.loss is not None:
        fields["loss"] = round(reading.loss, 6)
    return fields


def _class_fields(log_p: Tensor) -> dict[str, Any]:
    probabilities, first = [round(p, _DECIMALS) for p in log_p.exp().tolist()], int(log_p.argmax())
    hidden_by_rounding = probabilities.index(max(probabilities)) != first
    return {"probabilities": probabilities, **({"first": first} if hidden_by_rounding else {})}
