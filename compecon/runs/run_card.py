"""The model card of a checkpoint that a run made. No path and no name of a machine is in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compecon.checkpoints.locate import bundled_names, bundled_root
from compecon.checkpoints.model_card import markdown_table, model_card, plain_line, with_interval
from compecon.runs.run_record import RunRecord
from compecon.runs.submission import recipe_named
from compecon.tasks.cut import Cut

if TYPE_CHECKING:
    from compecon.tasks.task_registry import TaskEntry

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z", re.ASCII)
_PIPELINES = {
    "classification": "text-classification",
    "regression": "text-classification",
    "language": "text-generation",
}
_PATHS = ("data", "base", "checkpoint")


def run_card(record: RunRecord) -> str:
    """README.md of the checkpoint that a succeeded run made."""
    params = {name: _without_folders(name, value) for name, value in record.spec.params.items()}
    record = replace(record, spec=replace(record.spec, params=params))
    return model_card(_header(record), plain_line(record.title), _sections(record))


def _header(record: RunRecord) -> dict[str, Any]:
    entry, source, metric = _task(record), _source(record), _part(record, "metric")
    is_priced = any(record.spec.params.get(name) is not None for name in ("target", "price"))
    dataset = _dataset(entry)
    name, pipeline = str(metric.get("name", "")), _PIPELINES[entry.kind] if entry else ""
    measured = {
        "task": {"type": pipeline or "text-classification"},
        "dataset": {
            "name": plain_line(str(record.spec.params.get("task", ""))),
            "type": dataset or "local",
            "split": str(metric.get("split", "")),
        },
        "metrics": [{"type": name, "value": metric.get("value"), "name": name}],
    }
    return {
        "library_name": "transformers",
        "license": "other",
        "license_name": "data-terms-apply",
        "pipeline_tag": pipeline,
        "base_model": source if _HUB_ID.match(source) else _of_bundled_card(source, "base_model"),
        "tags": ["compecon", record.spec.recipe, *(["incentive"] if is_priced else [])],
        "datasets": [dataset] if dataset else [],
        "metrics": [name] if name else [],
        "model-index": [{"name": plain_line(record.title), "results": [measured]}] if name else [],
    }


def _sections(record: RunRecord) -> Iterator[str]:
    spec, results = record.spec, record.status.results
    yield plain_line(str(results.get("sentence") or record.reason))
    yield "## Measured"
    yield from _measured(record)
    yield "## How it was made"
    yield f"From `{plain_line(_source(record))}` with compecon {spec.versions.get('compecon', '')}:"
    yield f"```\n{shlex.join(('compecon', *recipe_named(spec.recipe).command(spec.params, out='DIR')))}\n```"
    versions = ", ".join(f"{name} {version}" for name, version in spec.versions.items())
    yield f"Versions: {versions}. {_threads(spec.threads).capitalize()}; device {record.status.device or 'unknown'}."
    yield "## Data and licence"
    entry, terms = _task(record), _of_bundled_card(_source(record), "license")
    data = f"{plain_line(entry.source)}: {plain_line(entry.licence)}" if entry else "local files, whose terms apply"
    parent = f" ({plain_line(terms)})" if terms else ""
    yield f"Trained on {data}. The terms of the model that it was made from{parent} apply too."
    yield "## Limits"
    yield (
        "It was measured on the rows above only. Intervals reflect the choice of rows, not of the seed or the kind of "
        "text. It inherits biases and errors of its parent and its data."
    )
    yield "Plain transformers opens a compacted model after `import compecon.compression.architectures`."


def _measured(record: RunRecord) -> Iterator[str]:
    results = record.status.results
    parent = plain_line(str(results.get("parent", "parent")))
    compared = (("this model", _part(record, "metric")), (parent, _part(record, "parent_metric")))
    rows = []
    for name, metric in compared:
        about = [plain_line(str(metric.get(each, ""))) for each in ("name", "split", "n")]
        rows += [(name, about[0], about[1], _interval(metric), about[2])] if metric else []
    heads = ("model", "metric", "split", "value [95% interval]", "rows")
    yield markdown_table(heads, rows) if rows else "Nothing was measured."
    if rows and (difference := _interval(_part(record, "difference"))):
        yield f"Difference, paired over rows: {difference}."
    try:
        cut = Cut.read(results.get("cut"))
    except ValueError:
        cut = None
    yield "" if cut is None else str(cut)
    macs, before = results.get("macs"), results.get("parent_macs")
    if isinstance(macs, int) and isinstance(before, int) and before:
        tokens = results.get("n_tokens")
        yield f"Multiply-adds for a text of {tokens} tokens: {macs:,}, {macs / before:.3f} of its parent's {before:,}."
    if latency := _part(record, "latency"):
        shape = f"{latency.get('batch')} × {latency.get('n_tokens')} tokens"
        where = f"{latency.get('device')}, {_threads(latency.get('threads'))}"
        yield f"Forward time relative to its parent's: {_interval(latency, 'ratio')} ({shape}, {where})."


def _threads(number: object) -> str:
    return f"{number} thread{'' if number == 1 else 's'}"


def _source(record: RunRecord) -> str:
    return str(record.spec.params.get("base") or record.spec.params.get("checkpoint") or "nothing")


def _task(record: RunRecord) -> TaskEntry | None:
    from compecon.tasks.task_registry import TASKS  # noqa: PLC0415 - used by few

    return TASKS.get(str(record.spec.params.get("task", "")).partition("?")[0])


def _dataset(entry: TaskEntry | None) -> str:
    """The data set's name on the Hub, if it is there."""
    first = entry.source.partition(" ")[0] if entry else ""
    return first if _HUB_ID.match(first) else ""


def _part(record: RunRecord, name: str) -> Mapping[str, Any]:
    value = record.status.results.get(name)
    return value if isinstance(value, Mapping) else {}


def _of_bundled_card(name: str, entry: str) -> str:
    """An entry in the header of a bundled checkpoint's card; "" for others."""
    if name not in bundled_names():
        return ""
    card = (bundled_root() / name / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^{entry}: (\S+)$", card, re.MULTILINE)
    return found[1] if found else ""


def _without_folders(name: str, value: Any) -> Any:
    """A setting without the folders of this machine."""
    if not isinstance(value, str):
        return value
    if name == "task" and value.startswith("files:"):
        return f"files:{Path(value.removeprefix('files:').partition('?')[0]).name}"
    if name in _PATHS and Path(value).is_absolute():
        return "DIR" if name == "data" else Path(value).name
    return value


def _interval(values: Mapping[str, Any], name: str = "value") -> str:
    value, low, high = (
        each if isinstance(each, int | float) else None for each in map(values.get, (name, "low", "high"))
    )
    return "" if value is None else with_interval(value, low, high)
