"""What a checkpoint's own files say of it, as rows of a table: shape, size, cost, measures, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from types import SimpleNamespace
from typing import Any

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.checkpoints.gate.folder_files import Root, open_root, parse_json
from compecon.checkpoints.gate.preflight import Preflight
from compecon.checkpoints.gate.record import Record, read_record
from compecon.compression.model_shape import ModelShape
from compecon.compression.shape import COMPACT
from compecon.errors import CompeconError
from compecon.files.safe_reader import MEGABYTE
from compecon.flops import macs
from compecon.views.checked_values import few, number, text

N_TOKENS = 64  # MACs of different models are counted at one length
_NAMES = {"hidden_size": ("n_embd", "dim"), "num_hidden_layers": ("n_layer", "n_layers"),
          "num_attention_heads": ("n_head", "n_heads"), "n_inner": ()}  # fmt: skip
_TRAINING = {"method": "made by", "parent": "made from", "target": "target share", "price": "price of compute",
             "seed": "seed", "steps": "steps"}  # fmt: skip


def card_rows(entry: CheckpointEntry) -> dict[str, str]:
    """Everything known of a checkpoint without loading it, for people: names of properties, and their values."""
    if entry.preflight is None:
        return {"problem": entry.problem}
    root = open_root(entry.path)
    record = _record(root)
    return {**_shape(entry.preflight, root), **dict(chain(_metrics(record), _cost(record), _training(record)))}


def _record(root: Root) -> Record:
    try:
        return read_record(root, trusted=True)  # shared tensors are only named here, never read
    except CompeconError:
        return Record()


def _shape(p: Preflight, root: Root) -> dict[str, str]:
    shape = _model_shape(root, p.architecture)
    kept = shape.kept if shape is not None else None
    heads = kept.heads if kept is not None else (p.heads_kept or ((tuple(range(p.heads)),) * p.layers))
    rows = {
        "architecture": f"{p.architecture} ({p.model_type})",
        "predicts": p.kind + (f": {few(p.labels)}" if p.labels else ""),
        "layers": str(p.layers),
        "width": str(p.hidden_size),
        "heads kept": f"{sum(map(len, heads))} of {p.layers * p.heads}",
        "heads kept, by layer": " · ".join(str(len(left)) for left in heads),
        "parameters": f"{p.parameters / 1e6:.2f} M",
        "on disk": f"{p.disk_bytes / 1e6:.1f} MB ({p.dtype})",
        "vocabulary": f"{p.vocabulary:,}",
        "licence": p.licence or "not stated",
    }
    if shape is None:
        return rows
    neurons = kept.neurons if kept is not None else (shape.d_ff,) * shape.n_layers
    return {
        **rows,
        "neurons kept": f"{sum(neurons):,} of {shape.n_layers * shape.d_ff:,}",
        "neurons kept, by layer": " · ".join(map(str, neurons)),
        f"MACs, {N_TOKENS} tokens (counted)": f"{macs(shape, N_TOKENS).total / 1e6:.1f} M",
    }


def _model_shape(root: Root, architecture: str) -> ModelShape | None:
    """Sizes as the config states them, under whichever of the usual names; None for what the formulas do not know."""
    try:
        config = parse_json(root.read("config.json", MEGABYTE), "config.json")
        for name, others in _NAMES.items():
            config.setdefault(name, next((config[other] for other in others if other in config), None))
        if not str(config.get("model_type")).startswith(COMPACT):
            config.pop("compact", None)
        config.setdefault("num_labels", len(config.get("id2label") or ()) or 2)  # as transformers takes it
        return ModelShape.from_config(SimpleNamespace(**config), architecture)
    except (CompeconError, AttributeError, TypeError, ValueError):
        return None


def _metrics(record: Record) -> Iterator[tuple[str, str]]:
    for entry in record.metrics:
        value, low, high, n = (number(entry, name) for name in ("value", "low", "high", "n"))
        if value is None or not (name := text(entry, "name")):
            continue
        interval = f" ({low:.3f} to {high:.3f})" if low is not None and high is not None else ""
        rows = f", {n:,.0f} rows" if n is not None else ""
        split = text(entry, "split") or "split not stated"
        yield f"{name}, {split} (measured)", f"{value:.3f}{interval}{rows}"


def _cost(record: Record) -> Iterator[tuple[str, str]]:
    made = record.training
    counted, dense, n = (number(made, name) for name in ("macs", "dense_macs", "n_tokens"))
    if (share := number(made, "share")) is not None:
        at = f", {n:.0f} tokens" if n is not None else ""
        of = f" ({counted / 1e6:.1f} of {dense / 1e6:.1f} M)" if counted is not None and dense is not None else ""
        yield f"share of the dense model's MACs{at}", f"{100 * share:.1f}%{of}"
    if (ratio := number(made, "latency", "ratio")) is not None:
        low, high = (number(made, "latency", name) for name in ("low", "high"))
        batch, tokens = (number(made, "latency", name) for name in ("batch", "n_tokens"))
        interval = f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""
        where = [text(made, "latency", "device"), *([f"batch {batch:.0f}"] if batch is not None else [])]
        where += [f"{tokens:.0f} tokens"] if tokens is not None else []
        yield "time / dense model's (measured)", f"{ratio:.2f}{interval} on {', '.join(filter(None, where))}"


def _training(record: Record) -> Iterator[tuple[str, str]]:
    made: Mapping[str, Any] = record.training
    for name, label in _TRAINING.items():
        if (value := _plain(made.get(name))) is not None:
            yield label, value
    settings = made.get("settings")
    if isinstance(settings, Mapping):
        for name in settings:
            if isinstance(name, str) and name not in _TRAINING and (value := _plain(settings[name])) is not None:
                yield f"setting: {name.replace('_', ' ')[:60]}", value


def _plain(value: Any) -> str | None:
    """A number, a word, yes or no, or a short list of them; None for what a table cannot hold."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, list):
        return few([said for one in value if (said := _plain(one))], 12) or "none"
    return None
