"""A text measured in a process of its own, and the guard that has to know before."""

from __future__ import annotations

import pytest

from compecon.benchmarks.memory import memory_table
from compecon.benchmarks.one_text import Shape, in_a_child
from compecon.benchmarks.scale import scale_table


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [Shape("bert", 512, layers=2, heads=2, hidden=32), Shape("gpt2", 192, layers=8, heads=12, hidden=96)],
    ids=str,
)
def test_the_guard_expects_what_a_text_takes(shape: Shape) -> None:
    found = in_a_child(shape)
    assert found.expected_bytes == pytest.approx(found.added_bytes, rel=0.25)
    assert 0 < found.first_s < found.grid_s


@pytest.mark.slow
def test_both_benchmarks_run_at_toy_size() -> None:
    shape = Shape("bert", 20, layers=1, heads=2, hidden=16)
    assert len(memory_table([shape], [shape]).figures) == 4
    assert all(figure.values for figure in scale_table(shape, 1).figures)
