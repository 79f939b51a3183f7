"""What stands in a file is what is read, and what cannot be meant is refused with its row."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from compecon.errors import TaskError
from compecon.tasks.cells import MAX_CHARACTERS, Columns
from compecon.tasks.table import MAX_BYTES, table_rows

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
    return [(row.text, row.pair, row.label) for row in table_rows(path, columns)]


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


def test_an_archive_that_poses_as_text_is_not_unpacked(write):
    with pytest.raises(TaskError, match="not UTF-8"):
        table_rows(write("a.csv", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff"), ONE)


# ---- refusals


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "text,class\na,b\n", r"no column label\. It has: text, class"),
        ("a.csv", "", r"no column text, label\. It has: none"),
        ("a.csv", "text,label,label\na,b,c\n", "more than one column label"),
        ("a.csv", "text,label\na,b\nc\n", "row 2 has 1 columns, expected 2"),
        ("a.csv", "text,label\na,b,c\n", "row 1 has 3 columns, expected 2"),
        ("a.csv", 'text,label\na,b\n"c,d\n', "line 3 is not of the format: unexpected end of data"),
        ("a.csv", "text,label\na,b\n  ,d\n", "row 2: text is empty"),
        ("a.csv", "text,label\na,b\nc,\n", "row 2: label is missing"),
        ("a.csv", "text,label\na,NaN\n", "row 1: label is missing"),
        ("a.csv", "text,label\n" + "a" * 200_000 + ",b\n", "field larger than field limit"),
        ("a.csv", b"text,label\n\xff\xfe,b\n", r"not UTF-8 \(invalid start byte: 0xff\)"),
        ("a.jsonl", b'{"text": "\xe9", "label": 1}\n', "not UTF-8"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"\n', "row 2 is not JSON"),
        ("a.jsonl", "[" * 100_000, "row 1 is not JSON"),
        ("a.jsonl", '["a", "b"]', "row 1 is list, expected an object"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}\n', "row 2: label is missing"),
        ("a.jsonl", '{"text": "b"}\n', "no column label"),
        ("a.jsonl", '{"text": 5, "label": 1}', "row 1: text is int"),
        ("a.jsonl", '{"text": "\\ud800", "label": 1}', "row 1: text holds half a character"),
        ("a.jsonl", '{"text": "a", "label": null}', "row 1: label is missing"),
        ("a.jsonl", '{"text": "a", "label": NaN}', "row 1: label is missing"),
        ("a.jsonl", '{"text": "a", "label": [1]}', "row 1: label is list"),
        ("a.jsonl", json.dumps({"text": "a" * (MAX_CHARACTERS + 1), "label": 1}), "row 1: text has 100,001 characters"),
        ("a.jsonl", json.dumps({"text": "a", "label": "b" * 201}), "that is a text, not a label"),
        ("a.parquet", b"PAR1 and no more", r"a\.parquet is damaged"),
        ("a.xlsx", b"PK", r"ends in \.xlsx, expected one of \.csv, \.tsv"),
        ("a", "text", "ends in nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused(write, name, content, words):
    with pytest.raises(TaskError, match=words):
        table_rows(write(name, content), ONE)


def test_a_file_too_large_is_refused_by_its_size_before_it_is_read(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES)  # a hole: takes no room on the disk
    with pytest.raises(TaskError, match=r"a\.csv has 2\.0 GB"):
        table_rows(path, ONE)


def test_an_absent_file_is_said_by_its_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a\.csv"):
        table_rows(tmp_path / "a.csv", ONE)
