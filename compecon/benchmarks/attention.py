"""What a budget costs: the budgeted forward pass against sdpa and against eager attention that returns its weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bert_config, random_encoder
from compecon.benchmarks.timing import interleaved, one_thread, ratios

_GOALS = {32: 1.13, 128: 1.12, 512: 1.6}  # times sdpa
_K = 8


def measure(settings: Settings) -> list[Table]:
    """Forward passes of a MiniLM-L6 shape at 32, 128 and 512 tokens."""
    rounds = {32: settings.pick(60, 5), 128: settings.pick(40, 4), 512: settings.pick(15, 2)}
    return [attention_table(bert_config(layers=6), rounds)]


def attention_table(config: dict[str, Any], rounds: Mapping[int, int]) -> Table:
    """Time the four ways to run one model; `rounds` gives the number of samples by number of tokens."""
    plain = random_encoder(config)
    budgeted, eager = copy.deepcopy(plain), copy.deepcopy(plain)
    eager.set_attn_implementation("eager")
    figures: list[Figure] = []
    with one_thread(), torch.inference_mode():
        for n, n_rounds in rounds.items():
            ids = torch.randint(config["vocab_size"], (1, n), generator=torch.Generator().manual_seed(n))
            batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            times = interleaved(_sides(plain, budgeted, eager, batch), rounds=n_rounds)
            figures += _figures(n, times)
    shape = f"{config['num_hidden_layers']} layers, {config['hidden_size']} wide, {config['num_attention_heads']} heads"
    notes = (
        f"BERT of random weights, {shape}, feed-forward {config['intermediate_size']}; batch 1, one thread, float32.",
        "The four take turns; a ratio compares neighbours of one round. Choosing keys costs time and saves none.",
    )
    return Table("attention: a budgeted forward pass against sdpa and eager", tuple(figures), notes)


def _sides(plain: Any, budgeted: Any, eager: Any, batch: dict[str, Any]) -> dict[str, Callable[[], object]]:
    n = batch["input_ids"].shape[1]

    def with_budget(keys: int) -> object:
        with budgeted_attention(budgeted, KeyBudget(keys=keys)):
            return budgeted(**batch)

    return {
        "sdpa": lambda: plain(**batch),
        f"k = {_K}": lambda: with_budget(_K),
        "k = n/2": lambda: with_budget(max(1, n // 2)),
        "eager": lambda: eager(**batch, output_attentions=True),
    }


def _figures(n: int, times: Mapping[str, list[float]]) -> list[Figure]:
    goal = Goal("median", _GOALS[n]) if n in _GOALS else None
    sdpa = times["sdpa"]
    found = [Figure(f"n = {n}: sdpa", "ms", tuple(sdpa))]
    for name, values in times.items():
        if name != "sdpa":
            said = "eager, output_attentions" if name == "eager" else f"top-k budget, {name}"
            own_goal = None if name == "eager" else goal
            found.append(Figure(f"n = {n}: {said}, times sdpa", "×", ratios(values, sdpa), own_goal))
    return found
