"""The model card of a member of the bundled family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compecon.checkpoints.bundle import ReportedMetric
from compecon.checkpoints.model_card import markdown_table
from compecon.studies.bundled_card import Facts, card_of, metric_tables

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
    shape = f"{latency['batch']} texts of {latency['n_tokens']} tokens, {latency['threads']} thread"
    costs = (
        ("MACs of heads and neurons that are left", f"{training['share']:.1%}"),
        (
            f"MACs of a text of {training['n_tokens']} tokens, counted on the compacted shapes",
            f"{training['macs']:,} of {training['dense_macs']:,}",
        ),
        (
            f"time against the parent, {shape}, measured in turns on one machine",
            f"{latency['ratio']:.2f} [{latency['low']:.2f}, {latency['high']:.2f}]",
        ),
    )
    about = (
        f"{facts.purpose} Made from `{training['parent']}`, the dense checkpoint of this bundle, which was its teacher"
    )
    measured = (
        "On the saved float16 weights, computed in float32. In brackets: 95% bootstrap interval over the rows.",
        *metric_tables(metrics, beyond),
        markdown_table(("cost", "value"), costs),
        "A budget of keys changes what is read, not these MACs.",
    )
    recipe = (
        f"{how} {training['steps']:,} steps in batches of {settings['batch_size']}, peak learning rate "
        f"{settings['learning_rate']:g}, half of the loss from the parent's logits, seed {training['seed']}. Repeat it "
        "with `compecon bundle`."
    )
    return card_of(facts, title, f"{about} too.", measured, (recipe,), sha256)
