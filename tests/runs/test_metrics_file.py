"""Each step once, whatever happened in between."""

import errno
import json
import os

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from compecon.runs.metrics_file import MetricsFile

PHASES = {"dense": 6, "incentive": 9, "recovery": 4}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def steps(path):
    return [(line["stage"], line["step"]) for line in lines(path) if "event" not in line]


def write(path, stage, numbers, total=10):
    file = MetricsFile(path)
    for number in numbers:
        file.step(stage, number, total, {"loss": number / 2})
    file.close()


def test_lines_say_what_the_steps_were_like(tmp_path):
    write(tmp_path / "m", "dense", [1, 2])
    assert lines(tmp_path / "m") == [
        {"stage": "dense", "step": 1, "total": 10, "loss": 0.5},
        {"stage": "dense", "step": 2, "total": 10, "loss": 1.0},
    ]


def test_an_attempt_that_goes_on_from_a_checkpoint_takes_the_place_of_what_came_after_it(tmp_path):
    write(tmp_path / "m", "dense", range(1, 8))
    write(tmp_path / "m", "dense", range(5, 11))
    assert steps(tmp_path / "m") == [("dense", n) for n in range(1, 11)]


def test_an_earlier_stage_that_begins_anew_drops_the_later_ones(tmp_path):
    write(tmp_path / "m", "dense", range(1, 4))
    write(tmp_path / "m", "incentive", range(1, 4))
    write(tmp_path / "m", "dense", [3])
    assert steps(tmp_path / "m") == [("dense", 1), ("dense", 2), ("dense", 3)]


def test_events_stay(tmp_path):
    file = MetricsFile(tmp_path / "m")
    file.step("dense", 1, 2, {})
    file.event({"event": "attempt", "attempt": 1})
    file.step("dense", 2, 2, {})
    file.close()
    write(tmp_path / "m", "dense", [1, 2])
    assert [line for line in lines(tmp_path / "m") if "event" in line] == [{"event": "attempt", "attempt": 1}]
    assert steps(tmp_path / "m") == [("dense", 1), ("dense", 2)]


@pytest.mark.parametrize("torn", [b'{"stage": "dense", "st', b"{", b"\x00\x00", b'{"stage": "dense", "step": 3}'])
def test_a_line_that_a_dead_worker_left_half_written_is_cut_off(tmp_path, torn):
    write(tmp_path / "m", "dense", [1, 2])
    with (tmp_path / "m").open("ab") as stream:
        stream.write(torn)
    write(tmp_path / "m", "dense", [3])
    assert steps(tmp_path / "m") == [("dense", 1), ("dense", 2), ("dense", 3)]


def test_a_file_that_is_all_torn_is_begun_anew(tmp_path):
    (tmp_path / "m").write_bytes(b"{" * 1000)
    write(tmp_path / "m", "dense", [1])
    assert steps(tmp_path / "m") == [("dense", 1)]


def test_lines_that_someone_damaged_are_kept_for_the_doctor(tmp_path):
    write(tmp_path / "m", "dense", [1])
    with (tmp_path / "m").open("ab") as stream:
        stream.write(b'no json\n[1]\n3\n"dense"\n')
    write(tmp_path / "m", "dense", [2])
    assert b"no json\n" in (tmp_path / "m").read_bytes()


def test_a_number_that_is_not_finite_is_null(tmp_path):
    file = MetricsFile(tmp_path / "m")
    file.step("dense", 1, 1, {"loss": float("nan"), "price": float("inf")})
    file.close()
    assert lines(tmp_path / "m")[0]["loss"] is None
    assert lines(tmp_path / "m")[0]["price"] is None


def test_a_line_that_fits_in_part_is_a_full_disk(tmp_path, monkeypatch):
    file = MetricsFile(tmp_path / "m")
    write_, cut = os.write, []
    monkeypatch.setattr(os, "write", lambda fd, raw: cut.append(fd) or write_(fd, raw[:5]))
    with pytest.raises(OSError, match="No space left") as caught:
        file.step("dense", 1, 1, {})
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    file.close()
    write(tmp_path / "m", "dense", [1])
    assert steps(tmp_path / "m") == [("dense", 1)]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 18), st.integers(0, 40)), max_size=6))
def test_every_step_is_there_once_whatever_was_cut_off_when(tmp_path_factory, attempts):
    """Attempts go on from any earlier place, and any number of the last bytes of each is lost or torn."""
    path = tmp_path_factory.mktemp("m") / "m"
    whole = [(stage, n) for stage, total in PHASES.items() for n in range(1, total + 1)]
    reached = 0
    for more, cut in [*attempts, (len(whole), 0)]:
        start = max(0, min(reached, len(steps(path)) if path.exists() else 0) - cut % 5)
        file = MetricsFile(path)
        for stage, number in whole[start : start + more]:
            file.step(stage, number, PHASES[stage], {})
        file.close()
        raw = path.read_bytes()
        path.write_bytes(raw[: len(raw) - cut] if cut else raw)
        MetricsFile(path).close()
        reached = min(len(whole), start + more)
    assert steps(path) == whole
