"""The model card of a member of the bundled family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compecon.checkpoints.bundle import ReportedMetric
from compecon.checkpoints.model_card import markdown_table
from compecon.studies.bundled_card import Facts, card_of, metric_tables

_ELASTIC = (
    "One training of nested sizes: each step trains one of them, large ones first, and a smaller size consists of the "
    "heads and neurons of the next larger one that are worth most per MAC (Fisher information). At {scarce:.0%} of the "
    "steps, a query may read only so many keys, a number drawn anew from {keys}."
)
_RIVAL = (
    "Post-hoc pruning ({method}), then a training of what is left: the rival to compare with the same size of the "
    "elastic checkpoint."
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
    latency, sizes = training["latency"], training.get("sizes", ())
    shape = f"{latency['batch']} texts of {latency['n_tokens']} tokens, {latency['threads']} thread"
    costs = (
        ("MACs of heads and neurons that are left", f"{training['share']:.1%}"),
        (
            f"MACs of a text of {training['n_tokens']} tokens, counted on the compacted shapes",
            f"{training['macs']:,} of {training['dense_macs']:,}",
        ),
        (f"time against the parent, {shape}, measured in turns on one machine", _ratio(latency)),
    )
    about = (
        f"{facts.purpose} Made from `{training['parent']}`, the dense checkpoint of this bundle, which was its teacher"
    )
    measured = (
        "On the saved float16 weights, computed in float32. In brackets: 95% bootstrap interval over the rows.",
        *metric_tables(metrics, beyond),
        *((_SIZES, _size_table(sizes)) if sizes else (markdown_table(("cost", "value"), costs),)),
        "A budget of keys changes what is read, not these MACs.",
    )
    return card_of(facts, title, f"{about} too.", measured, (_recipe(training),), sha256)


_SIZES = (
    "Its sizes, such as `load_checkpoint(NAME).at(0.3)`. Budgets are shares of the MACs of heads and neurons; MACs are "
    "those of a text of mean length, of which the last layer is computed for the position that is used; time is that "
    "of 8 texts of 64 tokens against the parent, on one thread, measured in turns on one machine:"
)


def _size_table(sizes: Sequence[Mapping[str, Any]]) -> str:
    return markdown_table(("budget", "MACs", "time", "all keys", "2 keys"), map(_size_row, sizes))


def _size_row(size: Mapping[str, Any]) -> tuple[str, ...]:
    found = {
        " at " in one["name"]: one for one in size["metrics"] if " at " not in one["name"] or "at 2 " in one["name"]
    }
    scores = [f"{found[scarce]['value']:.4g}" if scarce in found else "" for scarce in (False, True)]
    return (f"{size['budget']:g}", f"{size['macs']:,}", _ratio(size["latency"]), *scores)


def _ratio(latency: Mapping[str, Any]) -> str:
    return f"{latency['ratio']:.2f} [{latency['low']:.2f}, {latency['high']:.2f}]"


def _recipe(training: Mapping[str, Any]) -> str:
    settings, method = training["settings"], training["method"]
    drawn = ", ".join(map(str, settings["key_budgets"]))
    how = (
        _ELASTIC.format(scarce=1 - settings["full_share"], keys=drawn)
        if method == "elastic"
        else _RIVAL.format(method=method)
    )
    return (
        f"{how} {training['steps']:,} steps in batches of {settings['batch_size']}, peak learning rate "
        f"{settings['learning_rate']:g}, half of the loss from the parent's logits, seed {training['seed']}. Repeat it "
        "with `compecon bundle`."
    )
