"""A task from local files: one file that is split here, or a folder with a file for each split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from compecon.errors import TaskError
from compecon.tables.problems import Problem, left_out, refusal
from compecon.tasks.readers.cells import LEAVE_OUT, Columns, TableRow
from compecon.tasks.readers.label_meaning import AnyKind, meaning_of, unlabelled
from compecon.tasks.readers.table_rows import KNOWN, Found, is_table, table_rows
from compecon.tasks.rows import split
from compecon.tasks.task import Reading, Task

SHARES: Mapping[str, float] = {"train": 0.8, "dev": 0.1, "test": 0.1}
_NAMES = {"train": "train", "dev": "dev", "valid": "dev", "validation": "dev", "val": "dev", "test": "test"}
_DEV_SHARE = 0.1  # of the train file, where there is no dev file
_FEWEST = 2  # rows of a split: no metric has an interval with fewer

SKIP = "With --skip-bad-rows (on the page: all other settings, skip bad rows) such rows are left out."

Rows = Mapping[str, Sequence[TableRow]]


def read_table(  # noqa: PLR0913 - what a person says about a file, each with its own name
    path: Path,
    *,
    text: str,
    label: str,
    pair: str | None = None,
    kind: AnyKind = "auto",
    labels: Sequence[str] = (),
    splits: Mapping[str, float] | None = None,
    seed: int = 0,
    encoding: str = "",
    skip_bad_rows: bool = False,
) -> Task:
    """A task from a CSV, TSV, JSON Lines or Parquet file, or a folder of them. Nothing but these files is read.

    A file is split by a hash of each row's text (its first, of a pair), blanks and case aside: the same text is always
    in the same split, whatever else the file holds. A folder holds files called train, dev (or valid, validation, val)
    and test, or train-..., parts of which are joined; without a dev file, "dev" is cut from train in the same way;
    without a train file, the task can be measured on and not learnt from. A file of which no row has a label is no
    split, which the task's `reading` says.

    Args:
        path: The file or the folder; each file below 2 GB.
        text: Column of the text, or of the first of each pair; at most 100,000 characters, a longer one is refused.
        label: Column of the class name or score. Empty, and -1 beside 0, 1, 2, ..., is no label.
        pair: Column of the second text of each pair.
        kind: "auto" takes a column of numbers that are not all whole as scores, and anything else as class names.
        labels: Names of class 0, 1, ..., in the rows or in their place, and in the outputs of a head that names none;
            empty for the names in the rows.
        splits: Share of each split of a file, by name, with a sum of 1; `SHARES` if None.
        seed: Draws other splits.
        encoding: Of text files; "" for what they say themselves, which is UTF-8 where they say nothing.
        skip_bad_rows: Whether to leave out rows that cannot be used, instead of refusing the file.

    Returns:
        A task named like the folder, or the file without its ending. Class names are sorted, as numbers if all are
        whole numbers, unless they are given; its `reading` says how the files were understood.

    Raises:
        FileNotFoundError: If nothing is there.
        TaskError: If a file is refused (see `table_rows`), or rows of it, with everything that is wrong with them;
            labels are of mixed kinds or all the same; or a split gets fewer than two rows.
        ValueError: If `splits` are no shares.
    """
    columns = Columns(text, label, pair)
    if path.is_dir():
        if splits is not None:
            raise ValueError(f"{path} is a folder, whose files are its splits. Leave out the shares.")
        found = _of_folder(path, columns, encoding)
    else:
        found = {"": table_rows(path, columns, encoding)}
    usable, notes = _usable(found, label, labels, path.name, skip=skip_bad_rows)
    rows = _dealt(usable, splits or SHARES, seed)
    few = {name: len(part) for name, part in rows.items() if len(part) < _FEWEST}
    if few:
        counts = ", ".join(f"{name} {n}" for name, n in few.items())
        raise TaskError(
            f"{path.name} has too few rows: {counts}; every split needs {_FEWEST}. Add rows with other texts."
        )
    meaning = meaning_of([row for part in rows.values() for row in part], label, kind, labels)
    reading = Reading(Found.joined(found.values()).files, (*notes, *meaning.notes))
    name = path.name if path.is_dir() else path.stem
    if "train" in rows and len({row.label for row in rows["train"]}) < 2:
        raise TaskError(f"all train rows of {name} have the label {rows['train'][0].label!r}: nothing can be learnt.")
    cast = float if meaning.kind == "regression" else int
    parts = {part: split(((row.text, row.pair, meaning.target(row)) for row in rows[part]), cast) for part in rows}
    return Task(name, meaning.kind, meaning.labels, parts, meaning.metrics, stated=bool(labels), reading=reading)


def _usable(
    found: Mapping[str, Found], label: str, named: Sequence[str], name: str, *, skip: bool
) -> tuple[dict[str, list[TableRow]], list[str]]:
    """Rows with labels, by split, and what was left out; splits without any label are absent.

    Raises:
        TaskError: If a row cannot be used, unless those are to be left out; or none is left.
    """
    missing = unlabelled({split: part.rows for split, part in found.items()}, named)
    rows = {split: [row for row in part.rows if row.label not in missing] for split, part in found.items()}
    whole = {split: part for split, part in found.items() if rows[split] or not part.rows}
    notes = [
        f"{split} is left out: none of its {len(part.rows):,} rows has a label."
        for split, part in found.items()
        if split not in whole and split
    ]
    problems, n_bad = [problem for part in whole.values() for problem in part.problems], 0
    for part in whole.values():
        bare = [row for row in part.rows if row.label in missing]
        problems += [Problem(row.where, f"{label} is {_missing_label(row.label)}", LEAVE_OUT) for row in bare]
        n_bad += len(bare) + part.n_bad
    if problems and not skip:
        raise TaskError(refusal(problems, name, SKIP))
    if not any(rows[split] for split in whole):
        raise TaskError(f"no row of {name} can be used: none has a text and a label in {label}.")
    if problems:
        notes.append(left_out(problems, n_bad))
    return {split: rows[split] for split in whole}, notes


def _missing_label(label: str) -> str:
    return f"{label}, which means no label" if label else "missing"


def _dealt(rows: Rows, shares: Mapping[str, float], seed: int) -> Rows:
    """A single file's rows dealt to splits; "dev" cut from the train file of a folder that has no dev file."""
    if "" in rows:
        return by_hash(rows[""], shares, seed)
    if "train" in rows and "dev" not in rows:
        rows = {**rows, **by_hash(rows["train"], {"train": 1 - _DEV_SHARE, "dev": _DEV_SHARE}, seed)}
    return {name: rows[name] for name in SHARES if name in rows}


def by_hash(rows: Sequence[TableRow], shares: Mapping[str, float], seed: int) -> dict[str, list[TableRow]]:
    """Deal rows to splits by their texts: rows of the same text go to the same split, in their order.

    The shares of the splits are in (0, 1], with a sum of 1; another seed deals differently.
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
    """A number in [0, 1) that depends on the text and the seed alone."""
    plain = " ".join(text.casefold().split())
    digest = hashlib.blake2b(f"{seed} {plain}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def _of_folder(folder: Path, columns: Columns, encoding: str) -> dict[str, Found]:
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        name = _NAMES.get(path.stem.lower().split("-")[0])
        if name and is_table(path):
            files.setdefault(name, []).append(path)
    if not files:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:20]) or "nothing"
        raise TaskError(
            f"no file in {folder} is called train, dev or test and ends in {', '.join(KNOWN[:-1])} or {KNOWN[-1]}. "
            f"There is: {there}."
        )
    mixed = [paths for paths in files.values() if len({path.suffix.lower() for path in paths}) > 1]
    if mixed:
        raise TaskError(f"{mixed[0][0].name} and {mixed[0][-1].name} in {folder} are the same split twice. Remove one.")
    return {name: Found.joined(table_rows(path, columns, encoding) for path in files[name]) for name in files}
