"""What a person reads about a checkpoint before it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from compecon.checkpoints.catalog import list_checkpoints
from compecon.views.attention.preflight_lines import report_lines


def test_a_report_tells_the_facts_of_the_checkpoint(folder_of: Callable[[str], Path]) -> None:
    folder = folder_of("classification")
    entry = next(e for e in list_checkpoints([folder]) if e.path == folder)
    report = "\n".join(report_lines(entry))
    for fact in (
        "BertForSequenceClassification", "LABEL_0, LABEL_1, LABEL_2", "2 layers × 2 heads, width 16",
        "96 tokens", "licence: not stated", "from: local · classification", "can: attention under a budget",
    ):  # fmt: skip
        assert fact in report


@pytest.mark.parametrize(
    ("kept", "line"),
    [
        (None, None),
        (((0, 1), (1,)), "compacted: 3 of 4 heads left"),
        (((), (1,)), "compacted: 1 of 4 heads left; none in layer 0"),
        (((), ()), "compacted: 0 of 4 heads left; none in layers 0, 1"),
    ],
)
def test_a_report_tells_how_many_heads_are_left(
    folder_of: Callable[[str], Path], kept: tuple[tuple[int, ...], ...] | None, line: str | None
) -> None:
    entry = next(e for e in list_checkpoints([folder_of("classification")]) if e.origin == "local")
    report = report_lines(replace(entry, preflight=replace(entry.preflight, heads_kept=kept)))
    assert [one for one in report if one.startswith("compacted")] == ([line] if line else [])


def test_a_folder_that_is_broken_says_why_and_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_text("{")
    entry = next(e for e in list_checkpoints([folder]) if e.path == folder)
    [line] = report_lines(entry)
    assert line == f"cannot be opened: {entry.problem}"
    assert len(entry.problem) > 20


def test_every_bundled_checkpoint_can_be_opened_and_has_a_licence() -> None:
    bundled = [entry for entry in list_checkpoints() if entry.origin == "bundled"]
    assert bundled
    assert [e.name for e in bundled if e.problem or e.preflight is None or not e.preflight.licence] == []
