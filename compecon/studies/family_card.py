"""The model card of a member of the bundled family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compecon.checkpoints.bundle import WEIGHTS, ReportedMetric
from compecon.studies.bundled_card import Facts, beyond_rows, metadata, metric_rows

_HOW = {
    "incentive": "Hard-concrete gates on heads and FFN neurons were trained together with the weights while the price "
    "of their MACs rose by dual ascent; what had closed was removed, and the rest trained on. Final price: "
    "{price:.3g}, in units of task loss for all of the dense MACs.",
    "budget dropout": "At two of three steps the keys per query were limited to a number drawn anew for each step from "
    "1, 2, 3, 4, 6, 8 and 12. Only attention was trained: the FFN is the parent's, stored once.",
}
_RIVAL = (
    "Post-hoc pruning ({method}), then the same training as the incentive's checkpoints had altogether: the rival to "
    "compare them with."
)


def family_card(
    facts: Facts,
    title: str,
    training: Mapping[str, Any],
    metrics: Sequence[ReportedMetric],
    sha256: str,
    beyond: Sequence[ReportedMetric] = (),
) -> str:
    """README.md of a member; `facts` are those of its parent, `training` is how it came about."""
    how = _HOW.get(training["method"], _RIVAL).format(method=training["method"], price=training["price"] or 0.0)
    latency, settings = training["latency"], training["settings"]
    return f"""{metadata(facts)}
# {title}

{facts.purpose} Made from `{training["parent"]}`, the dense checkpoint of this bundle, which was its teacher too.

## Measured

On the saved float16 weights, computed in float32. In brackets: 95% bootstrap interval over the rows.

| metric | split | value | n |
|---|---|---|---|
{metric_rows(metrics)}
{beyond_rows(beyond)}
| cost | value |
|---|---|
| MACs of heads and neurons that are left | {training["share"]:.1%} |
| MACs of a text of {training["n_tokens"]} tokens, counted on the compacted shapes | {training["macs"]:,} of \
{training["dense_macs"]:,} |
| time against the parent, {latency["batch"]} texts of {latency["n_tokens"]} tokens, {latency["threads"]} thread, \
measured in turns on one machine | {latency["ratio"]:.2f} [{latency["low"]:.2f}, {latency["high"]:.2f}] |

A budget of keys changes what is read, not these MACs.

## Recipe

{how} {training["steps"]:,} steps in batches of {settings["batch_size"]}, peak learning rate \
{settings["learning_rate"]:g}, half of the loss from the parent's logits, seed {training["seed"]}. Repeat it with \
`compecon bundle`.

## Not good for

{facts.limits} {facts.not_good_for}

`{WEIGHTS}` sha256: `{sha256}`
"""
