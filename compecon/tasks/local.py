"""A task from local files: one file that is split here, or a folder with a file for each split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from compecon.errors import TaskError
from compecon.tasks.cells import Columns, TableRow
from compecon.tasks.meaning import Meaning, meaning_of
from compecon.tasks.rows import split
from compecon.tasks.table import is_table, table_rows
from compecon.tasks.task import Task

SHARES: Mapping[str, float] = {"train": 0.8, "dev": 0.1, "test": 0.1}
_NAMES = {"train": "train", "dev": "dev", "valid": "dev", "validation": "dev", "val": "dev", "test": "test"}
_DEV_SHARE = 0.1  # of the train file, where there is no dev file
_FEWEST = 2  # rows of a split: no metric has an interval with fewer

Rows = Mapping[str, Sequence[TableRow]]


def read_table(  # noqa: PLR0913 - what a person says about a file, each with its own name
    path: Path,
    *,
    text: str,
    label: str,
    pair: str | None = None,
    kind: Literal["auto", "classification", "regression"] = "auto",
    splits: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Task:
    """A task from a CSV, TSV, JSON Lines or Parquet file, or a folder of them. Nothing but these files is read.

    A file is split by a hash of each row's text (its first, of a pair), blanks and case aside: the same text is always
    in the same split, whatever else the file holds. A folder holds files called train, dev (or valid, validation, val)
    and test, or train-..., parts of which are joined; without a dev file, "dev" is cut from train in the same way;
    without a train file, the task can be measured on and not learnt from.

    Args:
        path: The file or the folder; each file below 2 GB.
        text: Column of the text, or of the first of each pair; at most 100,000 characters, a longer one is refused.
        label: Column of the class name or score.
        pair: Column of the second text of each pair.
        kind: "auto" takes a column of numbers that are not all whole as scores, and anything else as class names.
        splits: Share of each split of a file, by name, with a sum of 1; `SHARES` if None.
        seed: Draws other splits.

    Returns:
        A task called as the folder, or as the file without its ending. Class names are sorted, as numbers if all are
        whole numbers.

    Raises:
        FileNotFoundError: If nothing is there.
        TaskError: If a file or row is refused (see `table_rows`), labels are of mixed kinds or all the same, or a split
            gets fewer than two rows.
        ValueError: If `splits` are no shares.
    """
    columns = Columns(text, label, pair)
    if path.is_dir():
        if splits is not None:
            raise ValueError(f"{path} is a folder, whose files are its splits. Leave out the shares.")
        rows = _of_folder(path, columns, seed)
    else:
        rows = by_hash(table_rows(path, columns), splits or SHARES, seed)
    few = {name: len(part) for name, part in rows.items() if len(part) < _FEWEST}
    if few:
        counts = ", ".join(f"{name} {n}" for name, n in few.items())
        raise TaskError(
            f"{path.name} has too few rows: {counts}; every split needs {_FEWEST}. Add rows of other texts."
        )
    return _task(
        path.name if path.is_dir() else path.stem,
        rows,
        meaning_of([row for part in rows.values() for row in part], label, kind),
    )


def by_hash(rows: Sequence[TableRow], shares: Mapping[str, float], seed: int) -> dict[str, list[TableRow]]:
    """Deal rows to splits by their texts: rows of the same text go to the same split, in their order.

    Args:
        rows: The rows.
        shares: Share of each split, in (0, 1], with a sum of 1.
        seed: Another seed deals otherwise.
    """
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"the shares of the splits must be above 0 with a sum of 1, got {dict(shares)}.")
    dealt: dict[str, list[TableRow]] = {name: [] for name in shares}
    *others, last = shares
    for row in rows:
        place, name = _place(row.text, seed), last
        for candidate in others:
            if place < shares[candidate]:
                name = candidate
                break
            place -= shares[candidate]
        dealt[name].append(row)
    return dealt


def _place(text: str, seed: int) -> float:
    """Somewhere in [0, 1)."""
    plain = " ".join(text.casefold().split())
    digest = hashlib.blake2b(f"{seed} {plain}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def _of_folder(folder: Path, columns: Columns, seed: int) -> Rows:
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        name = _NAMES.get(path.stem.lower().split("-")[0])
        if name and is_table(path):
            files.setdefault(name, []).append(path)
    if not files:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:20]) or "nothing"
        raise TaskError(f"no file in {folder} is called train, dev or test with a known ending. There is: {there}.")
    mixed = [paths for paths in files.values() if len({path.suffix.lower() for path in paths}) > 1]
    if mixed:
        raise TaskError(f"{mixed[0][0].name} and {mixed[0][-1].name} in {folder} are the same split twice. Remove one.")
    rows = {name: [row for path in files[name] for row in table_rows(path, columns)] for name in files}
    if "train" in rows and "dev" not in rows:
        rows = {**rows, **by_hash(rows["train"], {"train": 1 - _DEV_SHARE, "dev": _DEV_SHARE}, seed)}
    return {name: rows[name] for name in SHARES if name in rows}


def _task(name: str, rows: Rows, meaning: Meaning) -> Task:
    if "train" in rows and len({row.label for row in rows["train"]}) < 2:
        raise TaskError(f"all train rows of {name} have the label {rows['train'][0].label!r}: nothing can be learnt.")
    target: Callable[[TableRow], float] = meaning.target
    cast = float if meaning.kind == "regression" else int
    parts = {part: split(((row.text, row.pair, target(row)) for row in rows[part]), cast) for part in rows}
    return Task(name, meaning.kind, meaning.labels, parts, meaning.metrics)
