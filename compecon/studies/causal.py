"""Train the bundled causal model from nothing, and say how surprised it is by articles it has never seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from compecon.checkpoints.scratch import small_gpt2, train_tokenizer, windows
from compecon.evaluation.evaluate_model import evaluate
from compecon.studies.encoders import Report
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.objectives import next_token_loss
from compecon.training.fine_tuning import fine_tune
from compecon.training.training_settings import FineTuneSettings


@dataclass(frozen=True)
class CausalPlan:
    """How to train the causal model.

    Attributes:
        settings: Of the training.
        pieces: Size of its vocabulary.
        width: Of the residual stream.
        layers: Number of layers.
        positions: Longest input, in tokens; also the length of training rows.
    """

    settings: FineTuneSettings
    pieces: int = 4096
    width: int = 160
    layers: int = 4
    positions: int = 256


def train_causal(corpus: LanguageTask, plan: CausalPlan, *, seed: int, report: Report) -> tuple[Any, Any]:
    """Train a tokenizer and a GPT-2 on a corpus.

    Args:
        corpus: Its train part is learnt, its dev part reported.
        plan: How.
        seed: For the weights and the order of rows.
        report: Is told each step in a sentence.

    Returns:
        A `GPT2LMHeadModel` in evaluation mode, and its tokenizer.
    """
    texts = [document.text for document in corpus.part("train")]
    tokenizer = train_tokenizer(texts, plan.pieces, plan.positions)
    torch.manual_seed(seed)
    model = small_gpt2(tokenizer, width=plan.width, layers=plan.layers)
    rows = windows(tokenizer, texts, plan.positions)
    report(f"causal: {model.num_parameters():,} parameters, {len(rows) * plan.positions:,} tokens of training text")
    fine_tune(model, tokenizer, rows, next_token_loss, replace(plan.settings, seed=seed))
    by_token, by_word = evaluate(model, tokenizer, corpus, "dev").metrics.values()
    report(f"causal: dev perplexity by token {by_token}, by word {by_word}")
    return model, tokenizer
