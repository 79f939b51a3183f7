"""What stands in a file is what is read, and what cannot be meant is refused with its row."""

import bz2
import gzip
import json
import lzma
import os

import pyarrow
import pyarrow.parquet
import pytest

from compecon.errors import TaskError
from compecon.tasks.readers.cells import MAX_CHARACTERS, Columns
from compecon.tasks.readers.table_rows import MAX_BYTES, table_rows

ONE = Columns("text", "label")
TWO = Columns("text", "label", "pair")


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def cells(path, columns=ONE):
    return [(row.text, row.pair, row.label) for row in table_rows(path, columns).rows]


# ---- formats


def test_csv_reads_quotes_line_ends_and_columns_in_any_order(write):
    path = write("a.csv", 'label,id,text,pair\r\nyes,7,"He said ""hi"", and\nleft.",b\r\nno,8,c,"d, e"\r\n')
    assert cells(path, TWO) == [('He said "hi", and\nleft.', "b", "yes"), ("c", "d, e", "no")]


def test_csv_of_a_spreadsheet_may_begin_with_a_byte_order_mark(write):
    assert cells(write("a.csv", b"\xef\xbb\xbftext,label\na,1\n")) == [("a", None, "1")]


def test_tsv_has_no_quotes(write):
    assert cells(write("a.tsv", 'text\tlabel\n"a\tx\nb "c"\ty\n')) == [('"a', None, "x"), ('b "c"', None, "y")]


def test_json_lines_end_in_newlines_alone(write):
    lines = [
        json.dumps({"text": "a\u2028b", "label": 2}, ensure_ascii=False),
        "",
        json.dumps({"label": True, "text": "c"}),
    ]
    assert cells(write("a.jsonl", "\n".join(lines))) == [("a\u2028b", None, "2"), ("c", None, "true")]


def test_parquet_reads_its_named_columns(tmp_path):
    table = pyarrow.table({"text": ["a", "b"], "label": [0.5, 2.0], "pair": ["c", "d"], "other": [None, None]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert cells(tmp_path / "a.parquet", TWO) == [("a", "c", "0.5"), ("b", "d", "2.0")]


# ---- a cell is only text


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x","y")',
        "@SUM(1+9)*cmd|' /C calc'!A0",
        "NA",
        "null",
        "None",
        "007",
        "1e5",
        "2020-01-01",
        "<b>",
        "\x00",
    ],
)
@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_a_text_is_read_as_it_stands(write, text, ending):
    quoted = text.replace('"', '""')
    content = {
        "csv": f'text,label\n"{quoted}",x\n',
        "tsv": f"text\tlabel\n{text}\tx\n",
        "jsonl": json.dumps({"text": text, "label": "x"}),
    }[ending]
    assert cells(write(f"a.{ending}", content)) == [(text, None, "x")]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, lambda text: b"PK\x03\x04" + text, lambda text: b"PAR1" + text]
)
def test_an_archive_that_poses_as_text_is_not_unpacked_and_said_to_be_one(write, pack, ending):
    with pytest.raises(TaskError, match="not text"):
        table_rows(write(f"a.{ending}", pack(b"text,label\na,b\n")), ONE)


@pytest.mark.parametrize("blank", ["", ",", " , ", ",,,,", '"",""', "\t,"])
def test_a_row_that_was_emptied_is_none(write, blank):
    file = write("a.csv", f"{blank}\ntext,label\na,x\n{blank}\n{blank}\nb,y\n{blank}\n")
    assert cells(file) == [("a", None, "x"), ("b", None, "y")]


# ---- refusals


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "text,class\na,b\n", r"no column label\. It has: 'text', 'class'"),
        ("a.csv", "", r"no column text, label: it is empty"),
        ("a.jsonl", "\n\n", r"no column text, label: it is empty"),
        ("a.csv", "text,class\na,b\n", r"\?text=COLUMN&label=COLUMN"),
        ("a.csv", "text,label,label\na,b,c\n", "more than one column label"),
        ("a.csv", "Text,TEXT,label\na,b,c\n", "more than one column text"),
        ("a.csv", b"text,label\n\xff\xfe,b\n", r"line 2 is not UTF-8: byte 0xff.*encoding=cp1252"),
        ("a.csv", b"text,label\na,b\ncaf\xe9,b\n", r"line 3 is not UTF-8: byte 0xe9\. If 'café,b' is right"),
        ("a.jsonl", b'{"text": "\xe9", "label": 1}\n', "not UTF-8"),
        ("a.jsonl", '{"text": "b"}\n', "no column label"),
        ("a.parquet", b"PAR1 and no more", r"a\.parquet is damaged"),
        ("a.xlsx", b"PK", r"ends in \.xlsx, expected one of \.csv, \.tsv"),
        ("a", "text", "ends in nothing"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(write, name, content, words):
    with pytest.raises(TaskError, match=words):
        table_rows(write(name, content), ONE)


@pytest.mark.parametrize(
    ("name", "content", "line", "words"),
    [
        ("a.csv", "text,label\na,b\nc\n", 3, "1 cells, expected 2"),
        ("a.csv", "text,label\na,b,c\n", 2, "3 cells, expected 2"),
        ("a.csv", 'text,label\na,b\n"c,d\n', 3, "a quote is opened and never closed"),
        ("a.csv", 'text,label\na,b\n"c,d\ne,f\ng,h\n', 3, "never closed, and takes in the 2 lines after it"),
        ("a.csv", 'text,label\n"a\nb",c\n"c" d,e\n', 4, "goes on after its closing quote"),
        ("a.csv", "text,label\na,b\n  ,d\n", 3, "text is empty"),
        ("a.csv", "text,label\n" + "a" * 200_000 + ",b\n", 2, "text has 200,000 characters"),
        ("a.jsonl", '{"text": "a", "label": 1}\n\n{"text": "b"\n', 3, "not JSON"),
        ("a.jsonl", "[" * 100_000, 1, "not JSON"),
        ("a.jsonl", '{"text": "a", "label": 1, "text": "b"}', 1, "a column twice"),
        ("a.jsonl", '["a", "b"]', 1, "list, expected an object"),
        ("a.jsonl", '{"text": 5, "label": 1}', 1, "text is int"),
        ("a.jsonl", '{"text": "\\ud800", "label": 1}', 1, "text holds half a character"),
        ("a.jsonl", '{"text": "a", "label": [1]}', 1, "label is list"),
        ("a.jsonl", json.dumps({"text": "a" * (MAX_CHARACTERS + 1), "label": 1}), 1, "text has 100,001 characters"),
        ("a.jsonl", json.dumps({"text": "a", "label": "b" * 201}), 1, "that is a text, not a label"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named_by_its_line(write, name, content, line, words):
    found = table_rows(write(name, content), ONE)
    assert [(problem.where, words in problem.what) for problem in found.problems] == [(f"{name}, line {line}", True)]
    assert found.n_bad == 1


def test_all_that_is_wrong_is_said_at_once(write):
    path = write("a.csv", 'text,label\n,b\n"c" d,e\nf,g\nh,i,j\n,' + "k" * 300 + "\n")
    found = table_rows(path, ONE)
    assert [problem.where.rpartition(" ")[2] for problem in found.problems] == ["2", "3", "5", "6", "6"]
    assert [row.text for row in found.rows] == ["f"]
    assert found.n_bad == 4


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "text,label\na,\nb,NaN\n"), ("a.jsonl", '{"text": "a", "label": null}\n{"text": "b", "label": NaN}\n')],
)
def test_a_label_may_be_missing(write, name, content):
    assert [row.label for row in table_rows(write(name, content), ONE).rows] == ["", ""]


# ---- how a file is written


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv", b"text;label\na, b;c\n", "UTF-8, separated by semicolons, quotes around cells"),
        ("a.csv", b"text\tlabel\na, b\tc\n", "UTF-8, separated by tabs, quotes are ordinary characters"),
        ("a.tsv", b'text,label\n"a, b",c\n', "UTF-8, separated by commas, quotes around cells"),
        ("a.csv", 'text,label\n"a, b",c\n'.encode("utf-16"), "UTF-16, separated by commas, quotes around cells"),
        ("a.csv", 'text,label\n"a, b",c\n'.encode("utf-16-be"), "UTF-16, separated by commas, quotes around cells"),
        ("a.csv", b'\xef\xbb\xbftext,label\n"a, b",c\n', "UTF-8 with a byte order mark, separated by commas"),
        ("a.jsonl", '{"text": "a, b", "label": "c"}\n'.encode("utf-16"), "UTF-16, an object a line"),
        ("a.csv", b'Text, label \n"a, b",c\n', "UTF-8, separated by commas"),
        ("a.csv", b',text,label\n0,"a, b",c\n', "UTF-8, separated by commas"),
    ],
)
def test_how_a_file_is_written_is_found_out_and_said(write, name, content, form):
    path = write(name, content)
    assert cells(path) == [("a, b", None, "c")]
    assert table_rows(path, ONE).files[0].startswith(f"{path.name}: {form}")


def test_an_encoding_can_be_said(write):
    path = write("a.csv", "text,label\nžluťoučký,1\n".encode("cp1250"))
    with pytest.raises(TaskError, match="line 2 is not UTF-8"):
        table_rows(path, ONE)
    assert [row.text for row in table_rows(path, ONE, "cp1250").rows] == ["žluťoučký"]
    with pytest.raises(TaskError, match="encoding="):
        table_rows(path, ONE, "base64")


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('text\tlabel\n"a ""b"""\tx\n"c\td"\tx\n"e\nf"\tx\n', ['a "b"', "c\td", "e\nf"]),  # a spreadsheet
        ('"text"\t"label"\n"a"\t"x"\n"b, c"\t"x"\n', ["a", "b, c"]),  # quotes around everything
        ('text\tlabel\n"a" he said\tx\n"b\tx\nc "d"\tx\n', ['"a" he said', '"b', 'c "d"']),  # no quotes at all
        ('text\tlabel\n"a" he said\tx\nb\tx\ty\n"c\tx\n', ['"a" he said', '"c']),  # likewise, and a row that is wrong
    ],
)
def test_quotes_in_a_file_with_tabs_are_what_fits_all_of_it(write, content, texts):
    assert [row.text for row in table_rows(write("a.tsv", content), ONE).rows] == texts


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(TaskError, match="not a regular file"):
        table_rows(tmp_path / "a.csv", ONE)


def test_a_file_too_large_is_refused_by_its_size_before_it_is_read(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES)  # a hole: takes no room on the disk
    with pytest.raises(TaskError, match=r"a\.csv has 2\.0 GB"):
        table_rows(path, ONE)


def test_an_absent_file_is_said_by_its_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a\.csv"):
        table_rows(tmp_path / "a.csv", ONE)
