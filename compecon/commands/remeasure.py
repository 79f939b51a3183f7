"""`compecon remeasure`: every bundled number, measured again on the shipped weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from compecon.commands.options import parse_list, plainly

PARTS = ("quality", "cards", "statistics", "streams", "recordings", "latency")


def remeasure(
    data: Annotated[Path, typer.Option(help="Data folder; the texts are not bundled with compecon.")],
    only: Annotated[str, typer.Option(help=f"Parts, separated by commas: {', '.join(PARTS)}.")] = ",".join(PARTS),
    checkpoint: Annotated[list[str] | None, typer.Option(help="Only this checkpoint; may be repeated.")] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Quality: only what these weights have not been measured on.")
    ] = False,
) -> None:
    """Measure the bundled checkpoints again, without training: quality, cards, statistics, streams, latency."""
    from compecon.errors import CompeconError

    parts = parse_list(only, str, "--only")
    if unknown := [part for part in parts if part not in PARTS]:
        raise CompeconError(f"--only takes {', '.join(PARTS)}, got {', '.join(unknown)}.")
    with plainly():
        _measure(parts, data, tuple(checkpoint or ()), missing)
        _tell(parts, tuple(checkpoint or ()))


def _measure(parts: tuple[str, ...], data: Path, names: tuple[str, ...], missing: bool) -> None:
    from compecon.paths import assets
    from compecon.studies import shipped
    from compecon.studies.family import time_family
    from compecon.studies.family_members import FAMILY

    folder = assets()
    measuring: dict[str, Callable[[], object]] = {
        # first: nothing has been trained or cached in this process yet
        "latency": lambda: time_family(folder / "checkpoints", only=names or FAMILY, report=typer.echo),
        "quality": lambda: shipped.measure_bundle(folder, data, only=names, missing=missing, say=typer.echo),
        "statistics": lambda: shipped.measure_statistics(folder, data, only=names, say=typer.echo),
        "streams": lambda: shipped.measure_streams(folder, data, say=typer.echo),
    }
    for part, measure in measuring.items():
        if part in parts:
            measure()


def _tell(parts: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Write cards, recordings, and the tables of README.md and the guide again."""
    from compecon.paths import assets
    from compecon.studies.shipped_cards import write_cards
    from compecon.studies.shipped_tables import numbers_in, texts_with_numbers, with_numbers
    from compecon.views.attention.recording import record_examples

    folder = assets()
    if {"cards", "quality", "latency"} & set(parts):
        write_cards(folder, only=names, say=typer.echo)
    if "recordings" in parts:
        record_examples(folder / "traces", report=typer.echo)
    tables = numbers_in(folder)
    for text in texts_with_numbers(folder):
        text.write_text(with_numbers(text.read_text(encoding="utf-8"), tables), encoding="utf-8")
