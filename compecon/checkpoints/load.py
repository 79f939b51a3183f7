"""Loading a checkpoint: through the gate, tensors read and checked here, then a model with weights in every place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compecon.attention.hooks import require_routed
from compecon.checkpoints.build import build_model
from compecon.checkpoints.elastic_file import checked, read_prices
from compecon.checkpoints.encode_text import Encoded, check_ids, spans_of, tokenize, unknown_of
from compecon.checkpoints.gate.intake import Survey, survey
from compecon.checkpoints.gate.kinds import Kind, abilities_of, limits_of
from compecon.checkpoints.gate.preflight import Preflight
from compecon.checkpoints.gate.small_files import ELASTIC, read_small_file
from compecon.checkpoints.inputs import inputs_of, stacked
from compecon.checkpoints.locate import Location, locate
from compecon.checkpoints.tensors import read_tensors, require_wanted
from compecon.checkpoints.tokenizers.pieces import spelling_of
from compecon.checkpoints.tokenizers.tokenizer import load_tokenizer
from compecon.compression.compact_model import kept_heads
from compecon.compression.elastic.elastic_model import ElasticModel
from compecon.errors import CheckpointError, NoHeadLeftError, TextError


def size_name(name: str, budget: float) -> str:
    """Name of a size of the elastic checkpoint that has this name."""
    return f"{name} at {budget:g}"


def size_digest(digest: str, budget: float) -> str:
    """Digest of a size of the elastic checkpoint that has this digest."""
    return f"{digest}-{budget:g}"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A loaded model with its tokenizer, from `load_checkpoint`.

    Attributes:
        name: Bundled name, Hub id or folder name.
        path: Folder it was loaded from.
        model: In float32 and evaluation mode, on ``device``; shares nothing with any other loaded model.
        tokenizer: Its tokenizer, without chat templates unless bundled.
        kind: What it predicts; a masked language model without a trained head has become an ``"encoder"``.
        labels: Class names in the order of the logits; empty unless the kind is classification or regression.
        device: Where the model is.
        elastic: Every size of an elastic checkpoint, and their prices; None for one of a single size.
        preflight: What was known before loading, with the digest and the kind that loading found.
        digest: Short digest of everything that was loaded; the same digest gives the same numbers.

    Example:
        >>> encoded = load_checkpoint("sentiment", device="cpu").encode("A fine film.")
        >>> encoded.tokens
        ('[CLS]', 'a', 'fine', 'film', '.', '[SEP]')
    """

    name: str
    path: Path
    model: PreTrainedModel = field(repr=False)
    tokenizer: PreTrainedTokenizerBase = field(repr=False)  # a foreign one has no words for itself
    kind: Kind
    labels: tuple[str, ...]
    device: torch.device
    preflight: Preflight = field(repr=False)
    digest: str
    elastic: ElasticModel | None = field(default=None, repr=False)

    def at(self, budget: float) -> Checkpoint:
        """The size of an elastic checkpoint that a budget buys, on views of the same weights.

        Args:
            budget: Share of the MACs of heads and neurons, from the smallest trained one to 1; any between works.

        Raises:
            CheckpointError: If the checkpoint has a single size, or the budget is out of that range.
        """
        if self.elastic is None:
            raise CheckpointError(
                f"{self.name} has a single size. Train one of every size with `compecon train --elastic`, or prune it."
            )
        try:
            model = self.elastic.at(budget)
        except ValueError as error:
            raise CheckpointError(f"{self.name}: {error}") from error
        digest = size_digest(self.digest, budget)
        preflight = replace(
            self.preflight,
            parameters=model.num_parameters(),
            heads_kept=kept_heads(model),
            elastic=False,
            digest=digest,
        )
        return replace(
            self, name=size_name(self.name, budget), model=model, digest=digest, preflight=preflight, elastic=None
        )

    def encode(self, text: str, pair: str | None = None, max_tokens: int = 512) -> Encoded:
        """Turn a text into tokens that the model reads and a person can read.

        Nothing is cut off: a text that is too long is refused.

        Args:
            text: At most 100,000 characters.
            pair: A second text, for models trained on pairs.
            max_tokens: Most tokens accepted, at least 1; the model's own limit also applies.

        Returns:
            One text as a batch of one.

        Raises:
            TextError: If the text is empty, too long, or a pair given to a model that reads single texts.
            CheckpointError: If the tokenizer makes a token that the model does not know.
        """
        if pair is not None and self.kind == "causal-lm":
            raise TextError("A causal language model continues one text; it does not read pairs. Give one text.")
        encoding = tokenize(self.tokenizer, text, pair)
        row = {name: encoding[name][0] for name in encoding}
        ids, special = row["input_ids"], tuple(bool(flag) for flag in row["special_tokens_mask"])
        limit = min(max_tokens, self.preflight.max_positions or max_tokens)
        check_ids(ids, special, limit=limit, vocabulary=self._vocabulary())
        batch = {name: column.to(self.device) for name, column in inputs_of(self.model, stacked([row])).items()}
        spelling = spelling_of(self.tokenizer)
        pieces = self.tokenizer.convert_ids_to_tokens(ids)
        words = encoding.word_ids(0) if encoding.is_fast else [None if flag else 0 for flag in special]
        return Encoded(
            batch,
            tuple(map(spelling.shown, pieces)),
            spelling.joined(pieces, words),
            special,
            spans_of(encoding, text, pair),
            unknown_of(self.tokenizer, ids, special),
        )

    def _vocabulary(self) -> int:
        table: Any = self.model.get_input_embeddings()
        return int(table.num_embeddings)


def load_checkpoint(
    source: str | Path, device: str = "auto", *, wanted: Callable[[], bool] = lambda: True
) -> Checkpoint:
    """Load a model to look at its attention. Never downloads and never runs code that a checkpoint brings along.

    Args:
        source: A bundled name, a folder, or a Hub id already in the local Hub cache.
        device: ``"auto"`` for the best there is, or ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        wanted: Asked before each tensor and each other part of the work: False ends the load.

    Returns:
        The model in float32 on every device, so that figures agree between machines. Its attention is PyTorch's fused
        kernel, which returns no weights: `output_attentions=True` gives an empty tuple. Use `recorded_attention`, or
        call `model.set_attn_implementation("eager")` first.

    Raises:
        CheckpointError: If the checkpoint is missing, damaged, unsafe or too large, or the device is absent.
        UnsupportedModelError: If compecon cannot show its attention or its output.
        UnwantedError: If it is not wanted any more.

    Example:
        >>> checkpoint = load_checkpoint("sentiment", device="cpu")
        >>> checkpoint.kind, checkpoint.labels
        ('classification', ('negative', 'positive'))
    """
    return _load(locate(source), device, wanted)


def load_of_bundle(folder: Path, device: str = "cpu") -> Checkpoint:
    """Load a checkpoint of a bundle of ours that lies elsewhere, such as one that is being built.

    The folder that holds it is trusted, so that it may share tensors with others in there. Errors as of
    `load_checkpoint`.
    """
    return _load(Location(folder.resolve(), "bundled", folder.resolve().parent), device)


def _load(location: Location, device: str, wanted: Callable[[], bool] = lambda: True) -> Checkpoint:
    target = _pick_device(device)
    found = survey(location.path, trusted_root=location.trusted_root)
    tensors, digest = read_tensors(found, wanted)
    preflight = found.preflight
    require_wanted(wanted)
    model, kind = build_model(found.config, preflight.architecture, preflight.kind, tensors)
    with suppress(NoHeadLeftError):  # without attention there is nothing to show, and a quality to measure
        require_routed(model)
    require_wanted(wanted)
    elastic = _elastic(found, model)
    tokenizer = load_tokenizer(found, trusted=location.trusted_root is not None)
    model.config.name_or_path = preflight.path
    preflight = replace(preflight, digest=digest, kind=kind)
    if kind != found.preflight.kind:
        preflight = replace(preflight, abilities=abilities_of(kind))
        preflight = replace(preflight, limits=(*preflight.limits, *limits_of(kind)))
    require_wanted(wanted)
    return Checkpoint(
        name=preflight.name,
        path=found.root.folder,
        model=_moved(model, target),
        tokenizer=tokenizer,
        kind=kind,
        labels=preflight.labels,
        device=target,
        preflight=preflight,
        digest=digest,
        elastic=elastic,
    )


def _elastic(found: Survey, model: PreTrainedModel) -> ElasticModel | None:
    if ELASTIC not in found.small_files:
        return None
    prices = read_prices(read_small_file(found.root, ELASTIC))
    return checked(lambda: ElasticModel(model, prices))


def _moved(model: PreTrainedModel, device: torch.device) -> PreTrainedModel:
    try:
        return model.to(device)  # type: ignore[arg-type, no-any-return]
    except torch.OutOfMemoryError as error:
        raise CheckpointError(f"The model does not fit into the memory of {device}. Load it on the CPU.") from error


def _pick_device(name: str) -> torch.device:
    """A device that is there, by its name; "auto" is CUDA, else Apple's MPS, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise CheckpointError(f"{name!r} is not a device; use auto, cpu, cuda or mps.") from error
    there = {"cpu": True, "cuda": (device.index or 0) < torch.cuda.device_count(), "mps": _has_mps()}
    if not there.get(device.type, False):
        raise CheckpointError(f"This machine has no device {name!r}. Use auto, which takes the best there is.")
    return device


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
