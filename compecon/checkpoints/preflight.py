"""What is known of a checkpoint before it is loaded, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from compecon.checkpoints.kinds import Kind


@dataclass(frozen=True)
class Preflight:
    """A checkpoint that passed the gate. ``json.dumps(dataclasses.asdict(...))`` works on it.

    Attributes:
        name: Folder name, or the Hub id of a folder in the Hub cache.
        path: Folder.
        architecture: Model class in transformers, such as ``"BertForSequenceClassification"``.
        model_type: Family, such as ``"bert"``.
        kind: What it predicts.
        labels: Class names in the order of the logits; empty unless the kind is classification or regression.
        layers: Transformer layers.
        heads: Attention heads a layer.
        hidden_size: Width of the residual stream.
        vocabulary: Number of different tokens.
        parameters: Number of stored weights.
        disk_bytes: Size of the weights on disk, without headers.
        memory_bytes: Memory that loading takes at its peak: the stored weights and the float32 model beside them.
        max_positions: Longest text in tokens; ``None`` where the architecture sets no limit.
        dtype: How most weights are stored, such as ``"F16"``.
        licence: As the model card's header states it, if it does.
        digest: First 12 hexadecimal digits of the sha256 of everything that is loaded; empty where it was not computed.
        routed: Whether attention can be observed and budgeted; ``None`` where only loading can tell.
        abilities: What the dashboard can do with it, in plain words.
        limits: What it cannot, or what to know.
    """

    name: str
    path: str
    architecture: str
    model_type: str
    kind: Kind
    labels: tuple[str, ...]
    layers: int
    heads: int
    hidden_size: int
    vocabulary: int
    parameters: int
    disk_bytes: int
    memory_bytes: int
    max_positions: int | None
    dtype: str
    licence: str | None
    digest: str
    routed: bool | None
    abilities: tuple[str, ...]
    limits: tuple[str, ...]
