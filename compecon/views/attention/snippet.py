"""A script that computes what the page shows: the same numbers from the library, without the page."""

from __future__ import annotations

from compecon.attention.policies import POLICIES

K, LAYER, HEAD, SIZE = (
    "__K__",
    "__LAYER__",
    "__HEAD__",
    "__SIZE__",
)  # the page fills in the first of each, which stand before any text

_TEMPLATE = """\
from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.checkpoints.load import load_checkpoint
{imports}from compecon.stats.inequality import entropy, gini
from {policy_module} import {policy_class}
import torch

k, layer, head = {k}, {layer}, {head}  # budget in keys per query; layer and head from 0
{size}checkpoint = load_checkpoint({checkpoint!r}, device={device!r}){at}
encoded = checkpoint.encode({text!r}, {pair!r})
budget, policy = KeyBudget(keys=k), {policy}
with torch.inference_mode(), budgeted_attention(checkpoint.model, budget, policy):
    with recorded_attention(checkpoint.model) as layers:
        output = checkpoint.model(**encoded.batch)

{record}
weights = record.weights[0, head]  # (query, key), each row sums to 1
visible = record.visible.expand_as(record.weights)[0, head]
print("row view: Gini", gini(weights, visible).mean().item(), "entropy, nats", entropy(weights, visible).mean().item())
print("output", output[0])
"""

_SIZE = f"size = {SIZE}  # share of the MACs of heads and neurons\n"
_COMPACTED_IMPORTS = "from compecon.compression.compact_model import kept_heads\n"
_COMPACTED_RECORD = """\
head = kept_heads(checkpoint.model)[layer].index(head)  # its index among the heads that remain
record = next(one for one in layers if one.layer == layer)"""


def python_snippet(  # noqa: PLR0913 - what the page shows, by name
    checkpoint: str,
    device: str,
    text: str,
    pair: str,
    policy: str,
    *,
    compacted: bool = False,
    elastic: bool = False,
) -> str:
    """Python source with placeholders for the budget, layer and head; of an elastic checkpoint, for its size too.

    If heads were removed from the model (``compacted``), those that are left are found by their original index.
    """
    chosen = POLICIES.find(policy)
    module, name = chosen.home
    return _TEMPLATE.format(
        policy=chosen.code, policy_module=module, policy_class=name, checkpoint=checkpoint, device=device, text=text,
        pair=pair or None, k=K, layer=LAYER, head=HEAD, imports=_COMPACTED_IMPORTS if compacted else "",
        size=_SIZE if elastic else "", at=".at(size)" if elastic else "",
        record=_COMPACTED_RECORD if compacted else "record = layers[layer]",
    )  # fmt: skip
