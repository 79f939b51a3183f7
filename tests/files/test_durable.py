"""Small files: whole or not there, and never a trap for their reader."""

import json
import math
import os
import subprocess
import sys
import threading

import pytest

from compecon.errors import RunError
from compecon.files.durable import MAX_JSON_BYTES, read_json, replace_file, tail, whole_lines, write_json, write_text

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


def test_what_is_written_is_read(tmp_path):
    value = {"a": [1, 2.5, None, True], "b": {"ü": "日本\n"}}
    write_json(tmp_path / "x.json", value)
    assert read_json(tmp_path / "x.json") == value
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_reader_never_sees_half_a_file(tmp_path):
    path, over = tmp_path / "x.json", threading.Event()
    write_json(path, {"n": 0, "all": [0] * 5000})

    def write():
        for n in range(1, 60):
            write_json(path, {"n": n, "all": [n] * 5000}, durable=False)
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not over.is_set():
        value = read_json(path)
        assert value["all"] == [value["n"]] * 5000
        seen.append(value["n"])
    writer.join()
    assert seen == sorted(seen)


@pytest.mark.parametrize("bad", [{"x": math.nan}, {"x": math.inf}, {"x": object()}, {"x": {1, 2}}])
def test_a_value_that_is_no_json_leaves_the_old_file(tmp_path, bad):
    write_json(tmp_path / "x.json", {"old": 1})
    with pytest.raises((ValueError, TypeError)):
        write_json(tmp_path / "x.json", bad)
    assert read_json(tmp_path / "x.json") == {"old": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path):
    (tmp_path / "x.json").mkdir()
    with pytest.raises(OSError, match=r"x\.json"):
        write_json(tmp_path / "x.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_what_a_killed_writer_left_is_overwritten(tmp_path):
    (tmp_path / ".x.json.part").write_text('{"ha')
    write_json(tmp_path / "x.json", {"whole": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_text_that_no_encoding_has_does_not_stop_a_run(tmp_path):
    write_json(tmp_path / "x.json", {"name": "a\ud800b"})
    assert read_json(tmp_path / "x.json") == {"name": "a?b"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"a": 1',
        b"[1]",
        b'"text"',
        b"3",
        b"null",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b"{}" + b" " * MAX_JSON_BYTES,
    ],
    ids=["empty", "torn", "torn late", "list", "text", "number", "null", "bytes", "deep", "large"],
)
def test_a_damaged_file_is_refused_in_words(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(RunError, match=r"x\.json (is not|holds a|has more than)"):
        read_json(tmp_path / "x.json")


@needs_pipes
def test_a_pipe_in_the_place_of_a_file_does_not_hold_up_its_reader(tmp_path):
    os.mkfifo(tmp_path / "x.json")
    with pytest.raises(RunError, match="not a regular file"):
        read_json(tmp_path / "x.json")
    assert tail(tmp_path / "x.json") == ""


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    with pytest.raises(RunError, match="not a regular file"):
        read_json(tmp_path)


def test_refusing_a_file_leaves_none_open(tmp_path):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112, PTH208
    for _ in range(20):
        with pytest.raises(RunError):
            read_json(tmp_path)
    assert not before or len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_missing_file_is_told_apart_from_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "x.json")


def test_writing_replaces_the_whole_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "marker.json"
    for text in ("long text", "new"):
        write_text(path, text)
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_a_writing_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "marker.json"
    write_text(path, "old")

    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_processes_that_write_the_same_file_leave_one_of_the_whole_texts(tmp_path):
    program = """
import sys
from pathlib import Path
from compecon.files.durable import write_text
for _ in range(20):
    write_text(Path(sys.argv[1]), sys.argv[2] * 20_000)
"""
    path = tmp_path / "marker.json"
    writers = [subprocess.Popen([sys.executable, "-c", program, path, letter]) for letter in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert path.read_text() in ("a" * 20_000, "b" * 20_000)
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_keeps_bytes_as_they_are(tmp_path):
    replace_file(tmp_path / "x", b"a\r\n\x00")
    assert (tmp_path / "x").read_bytes() == b"a\r\n\x00"


@pytest.mark.parametrize(
    ("raw", "whole"), [(b"", b""), (b"a", b""), (b"a\n", b"a\n"), (b"a\nb", b"a\n"), (b"\n\n", b"\n\n")]
)
def test_whole_lines_end_in_a_newline(raw, whole):
    assert whole_lines(raw) == whole


def test_a_tail_begins_with_a_line(tmp_path):
    lines = [f"line {n}" for n in range(1000)]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    end = tail(tmp_path / "log", 200)
    assert len(end) <= 200
    assert end.splitlines() == lines[-len(end.splitlines()) :]
    assert tail(tmp_path / "log", 1_000_000).splitlines() == lines
    assert tail(tmp_path / "none") == ""


def test_a_tail_of_anything_is_text(tmp_path):
    (tmp_path / "log").write_bytes(bytes(range(256)) * 10)
    assert isinstance(tail(tmp_path / "log", 100), str)
    assert json.dumps(tail(tmp_path / "log", 100))
