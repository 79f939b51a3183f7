"""Metrics and events of a run as files for other programs: CSV, Parquet, TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from compecon.errors import CompeconError
from compecon.files.csv_writer import write_csv as write_csv_table
from compecon.runs.folder import METRICS
from compecon.runs.history import History
from compecon.runs.run_record import RunRecord

_FIRST = ("stage", "step", "total")
_FIRST_OF_EVENTS = ("event", "stage", "step", "at")
_COUNTED = (*_FIRST, "seconds")


def history_of(record: RunRecord) -> History:
    """All metrics of a run."""
    history = History(record.folder / METRICS)
    while history.read_on():
        pass
    return history


def write_csv(history: History, folder: Path) -> tuple[Path, ...]:
    """Write `metrics.csv`, a line per step, and `events.csv`, a line for everything else, in a new folder."""
    _make(folder)
    return tuple(_write_csv(rows, names, folder / f"{name}.csv") for name, rows, names in _tables(history))


def write_parquet(history: History, folder: Path) -> tuple[Path, ...]:
    """Write `metrics.parquet` and `events.parquet` in a new folder."""
    try:
        import pyarrow  # noqa: PLC0415 - used by few
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise CompeconError(
            "Parquet is written by pyarrow, which is not installed. Run `pip install pyarrow`."
        ) from error
    _make(folder)
    paths = []
    for name, rows, names in _tables(history):
        columns = {column: _column([row.get(column) for row in rows]) for column in names}
        paths.append(folder / f"{name}.parquet")
        parquet.write_table(pyarrow.table(columns), paths[-1])
    return tuple(paths)


def write_tensorboard(history: History, folder: Path, settings: str = "") -> tuple[Path, ...]:
    """Write curves, and a text beside them, for TensorBoard; steps of later stages follow the earlier ones."""
    try:
        from tensorboardX import SummaryWriter  # noqa: PLC0415 - used by few
    except ImportError as error:
        raise CompeconError(
            "TensorBoard's files are written by tensorboardX, which is not installed. Run `pip install tensorboardX`."
        ) from error
    _make(folder)
    with SummaryWriter(logdir=str(folder)) as writer:
        for name, value, step in _scalars(history):
            writer.add_scalar(name, value, step)
        if settings:
            writer.add_text("settings", settings)
    return (folder,)


def _scalars(history: History) -> Iterator[tuple[str, float, int]]:
    """Name, value and step of each number; quality at the end of a stage is one too."""
    before = 0
    ends = {}
    for stage, steps in history.steps.items():
        for record in steps:
            for name, value in record.items():
                if name not in _COUNTED and isinstance(value, int | float):
                    yield f"{stage}/{name}", float(value), before + record["step"]
        before += steps[-1]["step"] if steps else 0
        ends[stage] = before
    for event in history.events:
        if isinstance(value := event.get("value"), int | float):
            name = "/".join(str(event[part]) for part in ("event", "split", "metric") if part in event)
            yield name, float(value), ends.get(str(event.get("stage")), before)


def _tables(history: History) -> tuple[tuple[str, list[dict[str, Any]], list[str]], ...]:
    steps = [record for of_stage in history.steps.values() for record in of_stage]
    return (
        ("metrics", steps, _names(_FIRST, steps)),
        ("events", history.events, _names(_FIRST_OF_EVENTS, history.events)),
    )


def _names(first: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys([*first, *(name for row in rows for name in row)]))


def _write_csv(rows: Sequence[dict[str, Any]], names: Sequence[str], path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        write_csv_table(stream, names, ({name: _cell(value) for name, value in row.items()} for row in rows))
    return path


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _column(values: list[Any]) -> list[Any]:
    """Values of one type: numbers, or texts where there is anything else."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} or kinds <= {int, float} or kinds <= {str} or kinds <= {bool}:
        return [float(value) if kinds == {int, float} and value is not None else value for value in values]
    return [None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]


def _make(folder: Path) -> None:
    """Create a folder to write to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CompeconError(f"{folder} has content already. Give a new folder with --out.")
    except OSError as error:
        raise CompeconError(f"{folder} cannot be written: {error.strerror or error}.") from error
