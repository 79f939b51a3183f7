"""The model card of what came of a run: metadata that the Hub reads, then what a person should know."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from compecon.checkpoints.locate import bundled_names, bundled_root
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


def model_card(record: RunRecord) -> str:
    """README.md of the checkpoint that a run made: metadata for the Hub, then what a person should know.

    Args:
        record: A run that has succeeded.
    """
    return str(_Card(record))


@final
class _Card:
    """What is said about a checkpoint that a run made. No path and no name of a machine is in it.

    Args:
        record: A run that has succeeded.
    """

    def __init__(self, record: RunRecord) -> None:
        self.record, self.results = record, record.status.results
        self.params = {name: _nameless(name, value) for name, value in record.spec.params.items()}

    def __str__(self) -> str:
        return f"---\n{self.metadata}---\n# {_line(self.record.title)}\n\n{self.body}"

    @property
    def metadata(self) -> str:
        """The header, as YAML whose values are JSON, which YAML reads."""
        entry, source = self._task, str(self.params.get("base") or self.params.get("checkpoint") or "")
        parts: dict[str, Any] = {"library_name": "transformers", "license": "other", "license_name": "data-terms-apply"}
        if entry is not None:
            parts["pipeline_tag"] = _PIPELINES[entry.kind]
        if base := source if _HUB_ID.match(source) else _told(source, "base_model"):
            parts["base_model"] = base
        parts["tags"] = ["compecon", self.record.spec.recipe, *(["incentive"] if self._is_priced else [])]
        if dataset := self._dataset:
            parts["datasets"] = [dataset]
        if name := str(self._part("metric").get("name", "")):
            parts["metrics"] = [name]
            parts["model-index"] = [{"name": _line(self.record.title), "results": [self._measured]}]
        return "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in parts.items())

    @property
    def body(self) -> str:
        """What a person should know."""
        sentence = str(self.results.get("sentence") or self.record.reason)
        parts = [
            _line(sentence),
            "## Measured",
            self._table,
            self._cut,
            *self._compute,
            "## How it was made",
            f"From `{_line(self._source)}` with compecon {self.record.spec.versions.get('compecon', '')}:",
            f"```\n{self._command}\n```",
            f"Versions: {', '.join(f'{name} {v}' for name, v in self.record.spec.versions.items())}. "
            f"{self.record.spec.threads} threads; device {self.record.status.device or 'unknown'}.",
            "## Data and licence",
            self._licence,
            "## Limits",
            "It was measured on the rows above and on nothing else; an interval holds their chance, not that of "
            "another seed or another kind of text. It inherits what its parent and its data have of bias and error.",
            "Plain transformers opens a compacted model after `import compecon.compression.architectures`.",
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    @property
    def _is_priced(self) -> bool:
        return self.params.get("target") is not None or self.params.get("price") is not None

    @property
    def _source(self) -> str:
        return str(self.params.get("base") or self.params.get("checkpoint") or "nothing")

    @property
    def _task(self) -> TaskEntry | None:
        from compecon.tasks.task_registry import TASKS  # noqa: PLC0415 - used by few

        return TASKS.get(str(self.params.get("task", "")).partition("?")[0])

    @property
    def _dataset(self) -> str:
        """The data set's name on the Hub, if it is there."""
        source = self._task.source.split() if self._task else []
        return source[0] if source and _HUB_ID.match(source[0]) else ""

    @property
    def _measured(self) -> dict[str, Any]:
        metric, task = self._part("metric"), str(self.params.get("task", ""))
        kind = _PIPELINES[self._task.kind] if self._task else "text-classification"
        dataset = {"name": _line(task), "type": self._dataset or "local", "split": str(metric.get("split", ""))}
        found = {"type": metric["name"], "value": metric.get("value"), "name": metric["name"]}
        return {"task": {"type": kind}, "dataset": dataset, "metrics": [found]}

    @property
    def _table(self) -> str:
        rows = [
            ("this model", self._part("metric")),
            (_line(str(self.results.get("parent", "parent"))), self._part("parent_metric")),
        ]
        lines = [f"| {who} | {_measures(metric)} |" for who, metric in rows if metric]
        difference = self._part("difference")
        paired = f"\n\nDifference, paired over rows: {_interval(difference)}." if difference else ""
        head = "| model | metric | split | value [95 % interval] | rows |\n|---|---|---|---|---|\n"
        return f"{head}{chr(10).join(lines)}{paired}" if lines else "Nothing was measured."

    @property
    def _cut(self) -> str:
        """What the model could read of the rows above; nothing where an older version measured."""
        try:
            cut = Cut.read(self.results.get("cut"))
        except ValueError:
            return ""
        return "" if cut is None else str(cut)

    @property
    def _compute(self) -> list[str]:
        lines, macs, before = [], self.results.get("macs"), self.results.get("parent_macs")
        if isinstance(macs, int) and isinstance(before, int) and before:
            length = f" for a text of {self.results.get('n_tokens')} tokens"
            lines.append(f"Multiply-adds{length}: {macs:,}, {macs / before:.3f} of its parent's {before:,}.")
        latency = self._part("latency")
        if latency:
            shape = f"{latency.get('batch')} × {latency.get('n_tokens')} tokens"
            place = f"{latency.get('device')}, {latency.get('threads')} threads"
            lines.append(
                f"Time of a forward pass, in turns with its parent: {_interval(latency, 'ratio')} ({shape}, {place})."
            )
        return lines

    @property
    def _command(self) -> str:
        words = recipe_named(self.record.spec.recipe).command(self.params, out="DIR")
        return shlex.join(("compecon", *words))

    @property
    def _licence(self) -> str:
        entry, parent = self._task, _told(self._source, "license")
        data = f"{_line(entry.source)}: {_line(entry.licence)}" if entry else "local files, whose terms apply"
        terms = f" ({_line(parent)})" if parent else ""
        return f"It learnt from {data}. The terms of the model that it was made from{terms} apply too."

    def _part(self, name: str) -> Mapping[str, Any]:
        value = self.results.get(name)
        return value if isinstance(value, Mapping) else {}


def _told(name: str, entry: str) -> str:
    """What the card of a bundled checkpoint says in its header; "" for others."""
    if name not in bundled_names():
        return ""
    card = (bundled_root() / name / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^{entry}: (\S+)$", card, re.MULTILINE)
    return found[1] if found else ""


def _nameless(name: str, value: Any) -> Any:
    """A value without the folders of the machine that it was set on."""
    if not isinstance(value, str):
        return value
    if name == "task" and value.startswith("files:"):
        return f"files:{Path(value.removeprefix('files:').partition('?')[0]).name}"
    if name in _PATHS and Path(value).is_absolute():
        return "DIR" if name == "data" else Path(value).name
    return value


def _interval(values: Mapping[str, Any], name: str = "value") -> str:
    value, low, high = values.get(name), values.get("low"), values.get("high")
    if not isinstance(value, int | float):
        return ""
    between = f" [{low:.4g}, {high:.4g}]" if isinstance(low, int | float) and isinstance(high, int | float) else ""
    return f"{value:.4g}{between}"


def _measures(metric: Mapping[str, Any]) -> str:
    """Cells of a table: name, split, value with interval, rows."""
    cells = (metric.get("name", ""), metric.get("split", ""), _interval(metric), metric.get("n", ""))
    return " | ".join(_line(str(cell)) for cell in cells[:2]) + f" | {cells[2]} | {cells[3]}"


def _line(text: str) -> str:
    """One line of plain text: what a person typed must not become markup."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", flat)
