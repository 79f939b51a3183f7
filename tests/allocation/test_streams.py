import gzip
import json

import numpy as np
import pytest

from compecon.allocation.streams import row_files as rows
from compecon.allocation.streams.bundled_streams import list_streams, open_stream
from compecon.allocation.streams.curves_file import read_curves
from compecon.allocation.streams.stream import Stream, read_stream
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.truncation import Truncation
from compecon.errors import StreamError

CSV = "query,budget,correct,tokens\na,10,0,10\nb,20,true,15\na,40,1,31.5\n"
PACKED = gzip.compress(
    CSV.replace(",", "\t").encode("utf-16"), mtime=0
)  # the names of tests are the same in every process


def written(folder, text, name="stream.csv"):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


# ---- drawn ones


@pytest.mark.parametrize("name", MIXTURES)
def test_the_same_seed_draws_the_same_stream(name):
    one, same, other = (MIXTURES[name].draw(seed=seed) for seed in (4, 4, 5))
    assert (one.thresholds == same.thresholds).all()
    assert (one.lengths == same.lengths).all()
    assert (one.thresholds != other.thresholds).any()
    assert len(one.thresholds) == 500


def test_streams_are_as_hard_as_their_names_say():
    ceiling = {name: mixture.draw(20_000).ceilings.mean() for name, mixture in MIXTURES.items()}
    assert ceiling["MostlyEasy"] > ceiling["UShaped"] > ceiling["MostlyHard"]
    assert ceiling["MostlyEasy"] > ceiling["Balanced"] > ceiling["MostlyHard"]
    _, counts = np.unique(MIXTURES["UShaped"].draw(20_000).ceilings, return_counts=True)
    assert counts[1] < counts[[0, 2]].min()


def test_drawn_lengths_follow_the_truncation_curve():
    stream = MIXTURES["Balanced"].draw(40_000, seed=1)
    for cap in (200.0, 400, 800):
        expected = stream.truncation().value(np.full(40_000, cap)).mean()
        assert stream.correct(np.full(40_000, cap)).mean() == pytest.approx(expected, abs=0.01)


def test_a_predictor_without_noise_knows_the_thresholds():
    stream = MIXTURES["Balanced"].draw()
    assert (stream.predicted(0.0).thresholds == stream.thresholds).all()
    off = np.log(stream.predicted(0.3).thresholds / stream.thresholds)
    assert off.std() == pytest.approx(0.3, abs=0.03)
    assert (stream.predicted(0.3).lengths == stream.lengths).all()


def test_a_stream_without_queries_is_refused():
    with pytest.raises(ValueError, match="at least one query"):
        MIXTURES["Balanced"].draw(0)


# ---- files


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_stream_is_read_from_any_format_and_order(tmp_path, form, packed):
    rows_ = [("a", 40, True, 31.5), ("b", 20, 1, 15), ("a", 10, 0, 10)]
    lines = [json.dumps(dict(zip(("query", "budget", "correct", "tokens"), row, strict=True))) for row in rows_]
    text = (CSV if form == "csv" else "\n\n".join(lines)).encode()
    name = f"mine.{form}" + (".gz" if packed else "")
    stream = read_stream(written(tmp_path, gzip.compress(text) if packed else text, name))
    assert stream.name == "mine"
    assert stream.queries == ("a", "b")
    assert stream.levels.tolist() == [[10, 40], [20, 20]]
    assert stream.correct.tolist() == [[0, 1], [1, 1]]
    assert stream.spent(np.array([40.0, 19])).tolist() == [31.5, 0]


def test_rows_that_a_spreadsheet_left_empty_are_no_queries(tmp_path):
    text = "query,budget,correct\r\na,1,0\r\n,,\r\n\r\nb,1,1\r\n,,\r\n"
    assert read_stream(written(tmp_path, text, "mine.csv")).queries == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column query"),
        ("query,budget,correct\n", "has no rows"),
        ("query,budget\na,1\n", "no column correct. It has: 'query', 'budget'"),
        ("query,query,budget,correct\na,a,1,1\n", "more than one column query"),
        ("query,budget,correct\na,1\n", "line 2: 2 cells, expected 3"),
        ('query,budget,correct\n"a,1,1\n', "line 2: a quote is opened and never closed"),
        ("query,budget,correct\na,ten,1\n", "line 2: budget must be a number, got 'ten'"),
        ("query,budget,correct\na,nan,1\n", "budget must be from 0 to 1e\\+15, got nan"),
        ("query,budget,correct\na,inf,1\n", "budget must be from 0"),
        ("query,budget,correct\na,-1,1\n", "budget must be from 0 .*, got -1"),
        ("query,budget,correct\na,1e308,1\n", "budget must be from 0 .*, got 1e"),
        ("query,budget,correct,tokens\na,1,1,1e308\n", "tokens must be from 0 .*, got 1e"),
        ("query,budget,correct\na,1,1.5\n", "correct must be from 0 to 1, got 1.5"),
        ("query,budget,correct\na,1,nan\n", "correct must be from 0 to 1, got nan"),
        ("query,budget,correct\n,1,1\n", "query must be a name"),
        ("query,model,correct,tokens\na,b\x1b[2J,1,1\n", "line 2: model must be a name of 1 to 200 printable"),
        ("query,budget,correct,tokens\na,1,1,-3\n", "tokens must be from 0"),
        (b"query,budget,correct\n\xff,1,1\n", "line 2 is not UTF-8: byte 0xff"),
    ],
)
def test_a_file_that_is_no_stream_is_refused_in_a_sentence(tmp_path, text, message):
    with pytest.raises(StreamError, match=message):
        read_stream(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]\n", "line 1: list, expected an object"),
        ("{\n", "line 1: not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"query": "a", "budget": [1], "correct": 1}\n', "budget must be a number"),
        ('{"query": {"x": 1}, "budget": 1, "correct": 1}\n', "query must be a name"),
        ('{"query": "a", "budget": 1, "correct": 1}\n{"query": "b"}\n', "line 2: budget must be a number"),
        ('{"query": "a", "budget": 1' + "0" * 400 + ', "correct": 1}\n', "budget must be"),
    ],
)
def test_json_that_is_no_stream_is_refused_in_a_sentence(tmp_path, text, message):
    with pytest.raises(StreamError, match=message):
        read_stream(written(tmp_path, text, "stream.jsonl"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV.replace(",", ";").encode()),
        ("a.csv.gz", PACKED),
        ("a.csv", CSV.replace("query", "Query ").replace("budget", "BUDGET").encode("utf-8-sig")),
        ("a.tsv", CSV.replace(",", "\t").replace("a\t", '"a"\t').encode()),
    ],
)
def test_a_stream_is_read_as_tasks_are_whatever_its_separator_and_encoding(tmp_path, name, content):
    stream, plain = (read_stream(written(tmp_path, each, file)) for file, each in ((name, content), ("b.csv", CSV)))
    assert (stream.queries, stream.levels.tolist()) == (plain.queries, plain.levels.tolist())


def test_all_rows_that_do_not_fit_are_said(tmp_path):
    with pytest.raises(StreamError) as refused:
        read_stream(written(tmp_path, "query,budget,correct\na,1\nb,1,1\nc,1,1,1\nd," + "1" * 2000 + ",1\n"))
    assert [n for n in (2, 3, 4, 5) if f"line {n}:" in str(refused.value)] == [2, 4, 5]


def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "MAX_BYTES", 1000)
    with pytest.raises(StreamError, match="has more than the 1,000 bytes"):
        read_stream(written(tmp_path, gzip.compress(b"0" * 100_000), "bomb.csv.gz"))


@pytest.mark.parametrize(("name", "content"), [("a.csv.gz", b"not packed"), ("a.csv.gz", PACKED[:-20])])
def test_damaged_packing_is_refused(tmp_path, name, content):
    with pytest.raises(StreamError, match="cannot be read"):
        read_stream(written(tmp_path, content, name))


def test_an_unknown_format_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(StreamError, match="expected one of"):
        read_stream(written(tmp_path, CSV, "stream.parquet"))
    with pytest.raises(StreamError, match=r"none\.csv"):
        read_stream(tmp_path / "none.csv")


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "MAX_ROWS", 2)
    with pytest.raises(StreamError, match="more than 2 rows"):
        read_stream(written(tmp_path, CSV))


def test_ids_of_a_stream_differ():
    with pytest.raises(ValueError, match="'a' occurs twice"):
        Stream("x", ("a", "a"), np.ones((2, 1)), np.ones((2, 1)))


# ---- curves


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CSV, MeasuredCurve),
        ("query,threshold,slope,decay\na,10,1,0.1\nb,20,1,0.1\n", ShiftedSurge),
        ("query,threshold,decay,ceiling\na,10,0.1,0.5\nb,20,0.2,1\n", Truncation),
    ],
)
def test_columns_say_what_kind_of_curves_a_file_holds(tmp_path, text, kind):
    named = read_curves(written(tmp_path, text))
    assert isinstance(named.utility, kind)
    assert named.queries == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query,threshold,slope,decay\na,10,1,0.1\na,20,1,0.1\n", "has a query twice"),
        ("query,threshold,slope,decay\na,-10,1,0.1\n", "threshold must be at least 0"),
        ("query,threshold,slope,decay\na,10,nan,0.1\n", "slope must be above 0"),
        ("query,threshold,decay\na,10,0.1\n", "either slope or ceiling"),
        ("query,threshold,slope,decay,ceiling\na,10,1,0.1,1\n", "either slope or ceiling"),
        ("query,threshold,slope\na,10,1\n", "no column decay"),
    ],
)
def test_parameters_that_make_no_curve_are_refused(tmp_path, text, message):
    with pytest.raises(StreamError, match=message):
        read_curves(written(tmp_path, text))


# ---- those that come with compecon


def test_the_bundled_streams_open_and_hold_no_text():
    entries = list_streams()
    assert {entry.unit for entry in entries} == {"keys", "MACs"}
    for entry in entries:
        stream = open_stream(entry.name)
        assert len(stream.queries) == 400
        assert stream.unit == entry.unit
        assert set(np.unique(stream.correct)) <= {0.0, 1.0}
        assert all(len(query) < 20 and " " not in query for query in stream.queries)


ENTRY = {"name": "a", "title": "t", "unit": "keys", "told": "x"}


@pytest.mark.parametrize(
    "index",
    ["{", "5", "[5]", "[[]]", "[{}]", *(json.dumps([{**ENTRY, "name": name}]) for name in ("../a", "a/b", "", 5, "é")),
     *(json.dumps([{**ENTRY, **more}]) for more in ({"title": 5}, {"levels": 5}, {"levels": [5]}))],
)  # fmt: skip
def test_an_index_that_is_none_is_refused(tmp_path, index):
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(StreamError):
        list_streams(tmp_path)


def test_a_stream_that_is_not_there_is_told_the_others(tmp_path):
    (tmp_path / "index.json").write_text(json.dumps([{"name": "a", "title": "t", "unit": "keys", "told": "x"}]))
    with pytest.raises(StreamError, match="Choose from a"):
        open_stream("b", tmp_path)
    assert list_streams(tmp_path / "nowhere") == ()
