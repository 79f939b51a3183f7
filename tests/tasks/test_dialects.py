"""Tables that other programs wrote come back equal, or are refused with the cause."""

import csv
import io

import hypothesis
import pandas
import pytest
from hypothesis import strategies

from compecon.errors import TaskError
from compecon.tasks.readers.cells import Columns
from compecon.tasks.readers.table_rows import table_rows

COLUMNS = Columns("text", "label", "pair")
CELLS = strategies.text(
    strategies.sampled_from("ab\u00e9\u4e2d 0,;|\t\"'\n\\=-\u2028\U0001f600"), min_size=1, max_size=12
).filter(str.strip)
ROWS = strategies.lists(strategies.tuples(CELLS, CELLS, strategies.sampled_from(["yes", "no"])), min_size=1, max_size=6)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "gb18030"]
SEPARATORS = [",", ";", "\t", "|"]
HEADERS = [("text", "pair", "label"), ("Text", " pair", "LABEL "), ("", "text", "pair", "label")]


def kept(rows):
    """What is kept of the cells: blanks around them are not."""
    return [(text.strip(), pair.strip(), label) for text, pair, label in rows]


def said_by(path, encoding=""):
    found = table_rows(path, COLUMNS, encoding)
    assert not found.problems, found.problems
    return [(row.text, row.pair, row.label) for row in found.rows]


def check(path, text, encoding, rows):
    """Read a file that was written in an encoding: what it says itself is read, anything else is asked for."""
    try:
        path.write_bytes(text.encode(encoding))
    except UnicodeEncodeError:
        hypothesis.reject()
    spoken_for = encoding.startswith("utf") or text.isascii()
    try:
        assert said_by(path) == rows
    except TaskError as refused:
        assert "UTF" in str(refused) or "encoding" in str(refused)  # noqa: PT017 - either is right, for short files
        assert not spoken_for or encoding in ("utf-16-le", "utf-16-be")
        assert said_by(path, encoding) == rows


@hypothesis.given(
    rows=ROWS,
    separator=strategies.sampled_from(SEPARATORS),
    encoding=strategies.sampled_from(ENCODINGS),
    quoting=strategies.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=strategies.sampled_from(["\n", "\r\n", "\r"]),
    header=strategies.sampled_from(HEADERS),
    ending=strategies.sampled_from(["csv", "tsv"]),
)
@hypothesis.settings(max_examples=100, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_what_the_csv_module_wrote(tmp_path, rows, separator, encoding, quoting, end, header, ending):
    hypothesis.assume(end != "\r" or quoting == csv.QUOTE_ALL)  # the module leaves line feeds bare there: no table
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerow(header)
    writer.writerows([str(n), *row] if len(header) == 4 else row for n, row in enumerate(rows))
    check(tmp_path / f"a.{ending}", stream.getvalue(), encoding, kept(rows))


@hypothesis.given(
    rows=ROWS,
    separator=strategies.sampled_from(SEPARATORS),
    encoding=strategies.sampled_from(ENCODINGS),
    index=strategies.booleans(),
)
@hypothesis.settings(max_examples=40, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_what_pandas_wrote(tmp_path, rows, separator, encoding, index):
    frame = pandas.DataFrame(rows, columns=["text", "pair", "label"])
    check(tmp_path / "a.csv", frame.to_csv(sep=separator, index=index), encoding, kept(rows))
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True, force_ascii=False)
    assert said_by(tmp_path / "a.jsonl") == kept(rows)


@hypothesis.given(
    rows=strategies.lists(
        strategies.tuples(*[strategies.text("ab \"',;\\", min_size=1, max_size=8).filter(str.strip)] * 2),
        min_size=1,
        max_size=6,
    )
)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_tabs_without_quotes_keep_every_letter_unless_all_cells_are_quotations(tmp_path, rows):
    """Where every cell with quotes is wholly in them, both ways of writing say the same but for these quotes."""
    path = tmp_path / "a.tsv"
    path.write_text("text\tpair\tlabel\n" + "".join(f"{text}\t{pair}\tyes\n" for text, pair in rows))
    found = table_rows(path, COLUMNS)
    if "quotes are ordinary" in found.files[0]:
        assert [(row.text, row.pair) for row in found.rows] == [(text.strip(), pair.strip()) for text, pair in rows]
        return
    cells = [cell for row in rows for cell in row if '"' in cell]
    assert all(cell[0] == cell[-1] == '"' for cell in cells)


def test_bytes_of_an_unknown_encoding_are_never_read_as_some_letters(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text,pair,label\nпривет,b,yes\n".encode("cp1251"))
    with pytest.raises(TaskError, match=r"a\.csv, line 2 is not UTF-8.*encoding"):
        table_rows(path, COLUMNS)
