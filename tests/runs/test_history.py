"""Metrics as others read them: whole lines only, each once, and no more work than there is news."""

import json
import os

import hypothesis.strategies as st
import pytest
from hypothesis import given

from compecon.runs.history import History
from compecon.runs.metrics_file import MetricsFile


def line(step, stage="dense", **more):
    return json.dumps({"stage": stage, "step": step, **more}).encode() + b"\n"


def numbers(history, stage="dense"):
    return [record["step"] for record in history.steps.get(stage, [])]


def test_a_history_grows_with_its_file(tmp_path):
    path = tmp_path / "m"
    history = History(path)
    assert not history.read_on()
    path.write_bytes(line(1, loss=0.5))
    assert history.read_on()
    assert not history.read_on()
    with path.open("ab") as stream:
        stream.write(line(2) + b'{"event": "attempt"}\n' + line(1, "incentive"))
    assert history.read_on()
    assert history.steps["dense"][0] == {"stage": "dense", "step": 1, "loss": 0.5}
    assert list(history.steps) == ["dense", "incentive"]
    assert history.events == [{"event": "attempt"}]
    assert history.n_steps == 3


@given(st.lists(st.integers(1, 30), max_size=20))
def test_pieces_of_any_size_give_each_line_once(tmp_path_factory, sizes):
    path = tmp_path_factory.mktemp("h") / "m"
    raw = b"".join(line(n, text="日本") for n in range(1, 8))
    history = History(path)
    position = 0
    path.touch()
    for size in [*sizes, len(raw)]:
        with path.open("ab") as stream:
            stream.write(raw[position : position + size])
        position += size
        history.read_on()
    assert numbers(history) == list(range(1, 8))
    assert history.damaged == 0


def test_a_torn_end_is_left_until_it_is_whole(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(line(1) + line(2)[:-4])
    history = History(path)
    history.read_on()
    assert numbers(history) == [1]
    path.write_bytes(line(1) + line(2))
    history.read_on()
    assert numbers(history) == [1, 2]


def test_a_file_that_was_replaced_is_read_again(tmp_path):
    path = tmp_path / "m"
    file = MetricsFile(path)
    for n in range(1, 8):
        file.step("dense", n, 9, {})
    file.close()
    history = History(path)
    history.read_on()
    file = MetricsFile(path)
    file.step("dense", 4, 9, {})
    file.close()
    history.read_on()
    assert numbers(history) == [1, 2, 3, 4]


def test_a_file_of_the_same_number_with_other_content_is_read_again(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(line(1) + line(2))
    history = History(path)
    history.read_on()
    with path.open("r+b") as stream:  # the same inode, as of a file system that uses numbers again
        stream.write(line(7) + line(8) + line(9))
    history.read_on()
    assert numbers(history) == [7, 8, 9]


def test_a_file_that_was_cut_is_read_again(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(line(1) + line(2))
    history = History(path)
    history.read_on()
    os.truncate(path, len(line(1)))
    history.read_on()
    assert numbers(history) == [1]


@pytest.mark.parametrize(
    "bad",
    [
        b"no json",
        b"[1]",
        b"3",
        b"null",
        b'"event"',
        b'["event"]',
        b'{"step": 1}',
        b'{"stage": "dense"}',
        b'{"stage": "dense", "step": null}',
        b'{"stage": "dense", "step": Infinity}',
        b'{"stage": "dense", "step": NaN}',
        b'{"stage": "dense", "step": []}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"",
    ],
    ids=lambda bad: repr(bad[:36]),
)
def test_a_damaged_line_is_counted_and_the_others_are_read(tmp_path, bad):
    (tmp_path / "m").write_bytes(line(1) + bad + b"\n" + line(2))
    history = History(tmp_path / "m")
    history.read_on()
    assert numbers(history) == [1, 2]
    assert history.damaged == 1
    assert history.events == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_metrics_holds_up_no_page(tmp_path):
    os.mkfifo(tmp_path / "m")
    assert not History(tmp_path / "m").read_on()


def test_a_file_that_is_gone_leaves_what_was_read(tmp_path):
    (tmp_path / "m").write_bytes(line(1))
    history = History(tmp_path / "m")
    history.read_on()
    (tmp_path / "m").unlink()
    assert not history.read_on()
    assert numbers(history) == [1]
