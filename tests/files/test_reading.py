"""The one way to read a file that anybody may have written: never a wait, never too much, and sound values."""

import ast
import contextlib
import json
import math
import os
import re
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compecon.errors import CompeconError, FileError, RunError
from compecon.files.safe_reader import (
    MAX_DEPTH,
    decode,
    is_valid_text,
    open_file,
    parse_json,
    parse_object,
    read_bytes,
    read_json,
    read_text,
    valid_text,
)

posix = pytest.mark.skipif(os.name == "nt", reason="named pipes, devices and sockets are files on POSIX")
READERS = [lambda path: read_bytes(path, 100), lambda path: read_text(path, 100), lambda path: read_json(path, 100)]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the address of a socket has at most 100 characters
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def link_to(target: str):
    return lambda path: path.symlink_to(target)


NO_FILES = {
    "pipe": fifo,
    "socket": unix_socket,
    "folder": Path.mkdir,
    "endless": link_to("/dev/zero"),
    "random": link_to("/dev/urandom"),
    "terminal": link_to("/dev/tty"),
    "link to a pipe": lambda path: (fifo(path.with_name("pipe")), path.symlink_to("pipe")),
}


@posix
@pytest.mark.timeout(10)
@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, make):
    make(tmp_path / "x.json")
    for read in READERS:
        with pytest.raises(FileError, match="not a regular file"):
            read(tmp_path / "x.json")


@posix
def test_a_loop_of_links_and_a_missing_file_are_the_systems_errors(tmp_path):
    (tmp_path / "x").symlink_to("x")
    for name in ("x", "absent"):
        with pytest.raises(OSError, match=name):
            read_bytes(tmp_path / name, 100)


@posix
def test_a_link_is_followed_or_not(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link", 100) == b"content"
    with pytest.raises(OSError, match="link"):
        open_file(tmp_path / "link", follow=False)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"], ids=["NUL", "surrogate"])
def test_what_is_no_path_is_a_sentence_or_the_systems_error(tmp_path, name):
    with pytest.raises((FileError, FileNotFoundError)) as caught:
        read_bytes(tmp_path / name, 100)
    if isinstance(caught.value, FileError):
        str(caught.value).encode()


def test_nothing_stays_open_after_a_refusal(tmp_path):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    (tmp_path / "large").write_bytes(bytes(200))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        for path in (tmp_path, tmp_path / "large", tmp_path / "absent"):
            with contextlib.suppress(FileError, OSError):
                read_bytes(path, 100)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(("size", "accepted"), [(0, True), (99, True), (100, True), (101, False), (5_000_000, False)])
def test_the_limit_is_the_largest_size_that_is_accepted(tmp_path, size, accepted):
    (tmp_path / "x").write_bytes(bytes(size))
    if accepted:
        assert read_bytes(tmp_path / "x", 100) == bytes(size)
    else:
        with pytest.raises(FileError, match="more than the 100 bytes"):
            read_bytes(tmp_path / "x", 100)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_an_encoding_that_json_would_guess_is_named_instead(encoding):
    with pytest.raises(FileError, match=r"UTF-(16|32)"):
        parse_json('{"model_type": "bert"}'.encode(encoding), "config.json")


def test_utf_8_with_and_without_a_mark_is_the_same():
    raw = '{"a": "ü日"}'.encode()
    assert parse_json(raw, "x") == parse_json(b"\xef\xbb\xbf" + raw, "x") == {"a": "ü日"}
    with pytest.raises(FileError, match="byte 6 is 0xe9"):
        decode('{"a":"é'.encode("latin-1"), "x")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}', '{"a": [Infinity]}', '{"a": -Infinity}', '{"a": 1e999}', '{"a": -1e999}', f'{{"a": {"9" * 301}}}',
        f'{{"a": {"9" * 100_000}}}', '{"a": 1, "a": 1}', '{"b": {"a": 1, "a": 2}}', r'{"a": 1, "\u0061": 2}',
        r'{"\ud800": 1, "\udfff": 2}', "{", "", "nul", '{"a": 1} {', "{'a': 1}", '{"a": "\n"}', "\x00\x00",
    ],
)  # fmt: skip
def test_what_would_break_later_is_refused_now(text):
    with pytest.raises(FileError, match=r"^x is not"):
        parse_json(text, "x")


@pytest.mark.parametrize("start", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, sys.getrecursionlimit() - 150, 100_000])
def test_depth_is_limited_below_what_the_parser_takes(start, depth):
    text = start * depth + "1" + {"[": "]", '{"a":': "}"}[start] * depth
    if depth <= MAX_DEPTH:
        assert json.loads(json.dumps(parse_json(text, "x"))) == json.loads(text)
    else:
        with pytest.raises(FileError, match=f"more than {MAX_DEPTH} levels"):
            parse_json(text, "x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'"\udc00\ud800"', "\ufffd\ufffd"),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud83d\ud83d\ude00\ude00"', "\ufffd😀\ufffd"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\\\ud800"', "\\\ufffd"),
        (r'"\"\uD800\n"', '"\ufffd\n'),
    ],
)
def test_half_a_surrogate_pair_becomes_a_replacement_character(text, value):
    assert parse_json(text, "x") == value


def test_the_kind_of_error_and_of_value_is_the_callers(tmp_path):
    (tmp_path / "x").write_text("[1]")
    assert read_json(tmp_path / "x", 10, error=RunError) == [1]
    with pytest.raises(RunError, match="list where a JSON object"):
        parse_object("[1]", "x", error=RunError)
    with pytest.raises(RunError):
        read_bytes(tmp_path / "x", 1, error=RunError)


plain = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text() | st.floats(allow_nan=False)
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


@given(values)
def test_sound_json_is_read_as_the_standard_library_reads_it(value):
    if isinstance(value, float) and math.isinf(value):
        return
    text = json.dumps(value)
    if "Infinity" in text:
        return
    assert parse_json(text, "x") == json.loads(text)


texts = st.text(st.characters(exclude_categories=()), max_size=40)


@given(st.binary(max_size=60) | texts.map(json.dumps) | texts)
def test_whatever_comes_is_a_valid_value_or_a_sentence(content):
    try:
        value = parse_json(content, "x")
    except CompeconError as error:
        valid_text(str(error)).encode()
    else:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


@given(texts)
def test_text_becomes_valid_and_stays_as_it_was_if_it_is(text):
    shown = valid_text(text)
    shown.encode()
    assert (shown == text) is is_valid_text(text)


# ---- nothing else reads files

ROOT = Path(__file__).resolve().parents[2]
READ_BY_OTHERS = {  # what is read without `compecon.files.safe_reader`, and why that is safe
    "compecon/attention/routing.py": "source text of the installed transformers",
    "compecon/provenance.py": "/proc/cpuinfo",
    "compecon/runs/doctor/machine.py": "/proc, as the kernel writes it",
    "compecon/tasks/row_counts.py": "digest of a data file of any size, a block at a time",
    "compecon/studies/experiment_run.py": "numpy reads what the experiment itself wrote, without pickles",
    "compecon/runs/jobs/rehearsal.py": "weights that this very process wrote",
    "compecon/checkpoints/bundle.py": "building our own bundle, from folders that the builder names",
    "compecon/checkpoints/save.py": "digest of a file that was just written",
    "compecon/tables/reader.py": "reads through it; parses lines of tables, of which some are bad",
    "compecon/runs/waiter.py": "a waiting worker is a bare interpreter that imports nothing of ours",
    "compecon/runs/worker.py": "the parent's own words on the command line",
    "compecon/checkpoints/tokenizers/tokenizer_child.py": "in a child with limits on time and memory",
    "compecon/checkpoints/tokenizers/tokenizer.py": "digests of the bundled tokenizers",
    "compecon/checkpoints/tokenizers/tokenizer_files.py": "what a tokenizer has just been saved to",
    "compecon/commands/remeasure.py": "our own texts, which it writes to",
    "compecon/studies/shipped_tables.py": "our own assets, for our own texts",
    "compecon/checkpoints/pretrained.py": "what a loaded tokenizer says of itself",
    "compecon/checkpoints/tokenizers/pieces.py": "what a loaded tokenizer says of itself",
    "compecon/tasks/readers/data_folder.py": "a data folder that is named on the command line",
    "compecon/tasks/readers/language_modeling.py": "a data folder that is named on the command line",
    "compecon/tasks/readers/xnli.py": "a data folder that is named on the command line",
    "compecon/runs/run_card.py": "a bundled card",
    "compecon/runs/executors/ray_jobs.py": "Ray's own token",
    "compecon/files/durable.py": "opened to be flushed, not to be read",
    "app/train/form_estimate.py": "what the caller has just written, as the key of a cache",
    "app/server/resources.py": "markup of the dashboard",
    "app/server/first_page.py": "the page of the installed Streamlit, and the dashboard's own scripts and settings",
    "app/server/plain_files.py": "files of the installed Streamlit and of the dashboard, listed at the start",
    "app/server/headers.py": "the page of the installed Streamlit",
    "app/server/serve.py": "the dashboard's own settings",
}
PARSERS = {"json.load", "json.loads", "np.load", "tomllib.load", "tomllib.loads"}
ROUND_TRIP = "json.loads(json.dumps("  # a value as JSON would hold it; no file


def is_read(call: ast.Call) -> bool:
    text, name = ast.unparse(call), ast.unparse(call.func)
    if text.startswith(ROUND_TRIP) or name in ("os.open", "root.open", "found.root.open", "self.open", "self._open"):
        return False
    if name == "open" or name.endswith(".open"):
        values = [*call.args, *(word.value for word in call.keywords)]
        words = [value.value for value in values if isinstance(value, ast.Constant)]
        return "r" in next((w for w in words if re.fullmatch(r"[rwaxbt+]+", str(w))), "r")
    return name in PARSERS or name.endswith((".read_text", ".read_bytes"))


def reads(path: Path) -> list[str]:
    """Calls that read a file or parse JSON, of `compecon.files.safe_reader` none."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if is_read(call)]


def test_nothing_but_the_reader_reads():
    files = [path for folder in ("compecon", "app", "pages") for path in (ROOT / folder).rglob("*.py")]
    names = {path.relative_to(ROOT).as_posix(): path for path in files if "benchmarks" not in path.parts}
    reading = {name: found for name, path in names.items() if (found := reads(path))}
    unknown = {name: found for name, found in reading.items() if name not in READ_BY_OTHERS}
    assert unknown == {}, "read through compecon.files.safe_reader, or say why not in READ_BY_OTHERS"
    assert READ_BY_OTHERS.keys() - reading.keys() == set(), "these read nothing any more"


@pytest.mark.parametrize(
    ("line", "n"),
    [
        ("json.loads(x)", 1),
        ("json.loads(json.dumps(x))", 0),
        ("p.read_text()", 1),
        ("p.read_bytes()", 1),
        ("read_bytes(p, 3)", 0),
        ("p.open('rb')", 1),
        ("p.open('wb')", 0),
        ("open(p)", 1),
        ("open(p, 'a', encoding='utf-8')", 0),
        ("p.open('r+b')", 1),
        ("p.open(encoding='utf-8')", 1),
        ("gzip.open(p)", 1),
        ("os.open(p, os.O_WRONLY)", 0),
        ("np.load(p)", 1),
    ],
)
def test_a_stray_read_is_found(tmp_path, line, n):
    (tmp_path / "x.py").write_text(line)
    assert len(reads(tmp_path / "x.py")) == n
