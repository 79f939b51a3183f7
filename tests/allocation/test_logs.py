"""Logs as they are: what becomes of their rows, against sums by hand, and what is refused."""

import csv
import gzip
import json
from collections import defaultdict

import numpy as np
import pytest

from compecon.allocation.streams.columns import LOG_COLUMNS
from compecon.allocation.streams.curves_file import read_curves
from compecon.allocation.streams.prices import Prices, read_prices
from compecon.allocation.streams.stream import read_stream
from compecon.errors import StreamError

PRICES = Prices("prices.csv", {"cheap": (0.5, 2.0), "strong": (3.0, 15.0)})


@pytest.fixture
def written(tmp_path):
    def write(content, name="log.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


def a_log(n=40, samples=3, seed=0):
    rng = np.random.default_rng(seed)
    return [
        {
            "query": f"q{query}", "model": model, "correct": int(rng.integers(2)),
            "input_tokens": int(rng.integers(301)), "output_tokens": int(rng.integers(1, 900)), "text": "a,b;\n" * 50,
        }
        for query in range(n)
        for model in PRICES.of
        for _ in range(rng.integers(1, samples + 1))
    ]  # fmt: skip


def as_csv(rows, separator=","):
    lines = [separator.join(f'"{name}"' for name in rows[0])]
    return "\n".join([*lines, *(separator.join(f'"{cell}"' for cell in row.values()) for row in rows)])


def as_json_lines(rows):
    return "\n".join(json.dumps(row) for row in rows)


FORMS = {
    "log.csv": as_csv,
    "semicolons.csv": lambda rows: as_csv(rows, ";"),
    "log.tsv": lambda rows: as_csv(rows, "\t"),
    "log.jsonl": as_json_lines,
    "capitals.csv": lambda rows: as_csv([{name.upper(): cell for name, cell in row.items()} for row in rows]),
    "names.jsonl": lambda rows: as_json_lines(
        [{{"input_tokens": "prompt_tokens"}.get(name, name): cell for name, cell in row.items()} for row in rows]
    ),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_means_are_those_of_a_sum_by_hand_however_a_log_is_written(written, name, packed):
    rows = a_log()
    rows = [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]
    text = FORMS[name](rows).encode()
    stream = read_stream(written(gzip.compress(text) if packed else text, name + ".gz" * packed), prices=PRICES)
    sums = defaultdict(list)
    for row in rows:
        read, wrote = PRICES.of[row["model"]]
        cost = (row["input_tokens"] * read + row["output_tokens"] * wrote) / 1e6
        sums[row["query"], row["model"]].append((cost, row["correct"]))
    assert stream.unit == "money"
    assert set(stream.queries) == {query for query, _ in sums}
    for place, query in enumerate(stream.queries):
        expected = sorted((*np.mean(sums[query, model], axis=0), model) for model in PRICES.of)
        assert stream.levels[place] == pytest.approx([cost for cost, _, _ in expected])
        assert stream.correct[place] == pytest.approx([correct for _, correct, _ in expected])
        assert stream.names[place].tolist() == [model for _, _, model in expected]
    assert any(f"{len(rows) - len(sums)} repeated samples" in note for note in stream.notes)


def test_what_a_spend_buys_is_called_by_its_level(written):
    text = "query,model,effort,correct,tokens\na,m,high,1,50\na,m,low,0,10\nb,m,low,1,20\n"
    stream = read_stream(written(text))
    assert stream.unit == "tokens"
    assert stream.names_at(np.array([9.0, 20])) == ["", "m · low"]
    assert stream.names_at(np.array([10.0, 99])) == ["m · low", "m · low"]
    assert stream.names_at(stream.levels[:, -1]) == ["m · high", "m · low"]
    assert stream.part([1]).names_at(np.array([20.0])) == ["m · low"]


def test_of_two_levels_at_one_cost_the_better_one_is_bought(written):
    stream = read_stream(written("query,action,correct,cost\na,good,1,2\na,bad,0,2\n"))
    assert stream.curves().value([2.0]).tolist() == [1.0]
    assert stream.names_at(np.array([2.0])) == ["good"]


def test_limits_tell_levels_apart_too(written):
    stream = read_stream(written("query,budget,correct,tokens\na,10,0,10\na,10,1,8\na,40,1,20\n"))
    assert stream.levels.tolist() == [[10, 40]]
    assert stream.correct.tolist() == [[0.5, 1]]
    assert stream.tokens.tolist() == [[9, 20]]
    both = read_stream(written("query,model,budget,correct,cost\na,m,10,0,1\na,m,20,1,2\n"))
    assert both.names.tolist() == [["m · 10", "m · 20"]]


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("cut", ("1", "0", "0")),
        ("Truncated", ("true", "False", "false")),
        ("finish_reason", ("length", "stop", "tool_calls")),
        ("STOP_REASON", ("MAX_TOKENS", "end_turn", "")),
    ],
)
def test_cut_answers_are_counted_and_may_have_no_score(written, column, cells):
    rows = zip("aab", "xyx", ("", "1", "1"), cells, strict=True)
    text = f"query,model,correct,{column},tokens\n" + "".join(f"{q},{m},{c},{cut},9\n" for q, m, c, cut in rows)
    stream = read_stream(written(text))
    assert stream.correct.sum(axis=1).tolist() == [1, 2]
    assert sum(stream.cut_at(np.array([9.0, 9.0]))) == 0, "the one that is bought is whole"
    assert stream.cut.max() == 1
    assert any("1 answer was cut" in note for note in stream.notes)


@pytest.mark.parametrize("name", ["prompt", "Question", "query"])
def test_texts_become_ids_that_tell_them_apart_and_hold_nothing_of_them(written, name):
    texts = [f"secret {place}\n" + "x" * 1_000_000 for place in range(3)]
    stream = read_stream(
        written(as_json_lines({name: text, "action": "a", "correct": 1, "tokens": 1} for text in texts), "log.jsonl")
    )
    assert len(set(stream.queries)) == 3
    assert not any("secret" in query for query in stream.queries)
    assert any("hash" in note for note in stream.notes)


def test_messages_are_a_text(written):
    lines = [{"messages": [{"role": "user", "content": c}], "model": "m", "correct": 1, "tokens": 2} for c in "aba"]
    stream = read_stream(written(as_json_lines(lines), "log.jsonl"))
    assert len(stream.queries) == 2


def test_other_columns_are_ignored_however_long_and_said(written):
    text = f"query,action,correct,tokens,answer,answer\na,x,1,5,{'y' * 1_000_000},z\n"
    stream = read_stream(written(text))
    assert stream.levels.tolist() == [[5]]
    assert any("answer" in note for note in stream.notes)


def test_attempts_without_levels_are_fitted_and_their_limits_read(written):
    rows = "".join(f"a,{tokens},1,stop\nb,{2 * tokens},1,stop\n" for tokens in (50, 90, 120)) + "c,400,,length\n"
    named = read_curves(written(f"prompt_id,tokens,correct,finish_reason\n{rows}".replace("prompt_id", "query_id")))
    assert (named.kind, named.queries, named.unsolved) == ("rollouts", ("a", "b"), ("c",))


# ---- prices


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", "model,input,output\ncheap,0.5,2\nstrong,3,15\n"),
        ("p.csv", "Model;Input;Output;note\ncheap;0.5;2;x\nstrong;3;15;y\n"),
        ("p.jsonl", '{"model": "cheap", "input": 0.5, "output": 2}\n{"model": "strong", "input": 3, "output": 15}\n'),
        ("p.json", '{"cheap": {"input": 0.5, "output": 2}, "strong": {"input": 3, "output": 15}}'),
    ],
)
def test_prices_are_read_from_any_format(written, name, content):
    assert read_prices(written(content, name)).of == PRICES.of


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv", "model,input\na,1\n", "no column output"),
        ("p.csv", "model,input,output\na,1,-1\n", "p.csv, line 2: output must be from 0 to 1e\\+09, got -1"),
        ("p.csv", "model,input,output\na,1,nan\n", "line 2: output must be from 0"),
        ("p.csv", "model,input,output\na,1,1\na,1,1\n", "line 3: model 'a' has a price twice"),
        ("p.csv", "model,input,output\n", "has no prices"),
        ("p.json", "[1]", "is no object"),
        ("p.json", '{"a": {"input": 1}}', "'a': output must be a number, got nothing"),
        ("p.json", "{", "not valid JSON"),
        ("p.txt", "x", "expected one of"),
    ],
)
def test_what_is_no_price_table_is_refused_in_a_sentence(written, name, content, message):
    with pytest.raises(StreamError, match=message):
        read_prices(written(content, name))


def test_a_model_without_a_price_is_one_sentence_however_many_rows_it_has(written):
    rows = [{**row, "model": "other" if row["model"] == "strong" else "cheap"} for row in a_log(2000)]
    with pytest.raises(StreamError, match=r"no price in prices\.csv for model 'other'") as refused:
        read_stream(written(as_csv(rows)), prices=PRICES)
    assert "\n" not in str(refused.value)


def test_prices_need_to_know_the_tokens_of_each_kind(written):
    with pytest.raises(StreamError, match="no column input_tokens"):
        read_stream(written("query,model,correct,tokens\na,cheap,1,5\n"), prices=PRICES)


# ---- what is wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query,model,correct\na,m,1\n", "no column budget"),
        ("query,model,tokens\na,m,1\n", "no column correct"),
        ("id,model,tokens,correct\na,m,1,1\n", "no column query.*prompt"),
        ("query,model,correct,tokens\na,,1,1\n", "line 2: model must be a name.*got nothing"),
        ("query,model,correct,tokens\na,m,,1\n", "line 2: correct must be a number, got nothing"),
        ("query,model,correct,cost\na,m,1,1e308\n", "line 2: cost must be from 0 to 1e\\+15, got 1e\\+308"),
        ("query,model,correct,cost,cut\na,m,1,1,2\n", "line 2: cut must be 0 or 1"),
        ('query,model,correct,tokens,x\na,m,1,1,"two\nlines"\nb,m,x,1,\n', "line 4: correct must be a number"),
        ("query,tokens,correct,cut\na,5,1,1\n", "line 2: the answer is both cut and correct"),
        ("query,tokens,correct\na,0,1\n", "line 2: tokens must be above 0"),
    ],
)
def test_a_bad_log_is_refused_with_file_line_column_and_cure(written, text, message):
    with pytest.raises(StreamError, match=f"log.csv.*{message}"):
        read_curves(written(text))


def test_ten_thousand_bad_rows_are_counted_and_the_first_are_listed(written):
    cells = ("nan", "1e400", "", "9" * 2000)
    rows = [f"q{place},m,1,{cells[place % 3]}" for place in range(10_000)]
    with pytest.raises(StreamError, match="10,000 problems") as refused:
        read_stream(written("\n".join(["query,model,correct,tokens", *rows])))
    assert len(str(refused.value)) < 5000
    with pytest.raises(StreamError, match="tokens has more than 1,000 characters"):
        read_stream(written(f"query,model,correct,tokens\na,m,1,{cells[3]}\n"))


def test_every_name_of_a_column_is_read(written):
    whole = {
        "query": "a", "correct": 1, "model": "m", "effort": "e", "action": "x", "budget": 9, "tokens": 7,
        "input_tokens": 3, "output_tokens": 4, "cost": 2, "cut": 0, "finish_reason": "stop",
    }  # fmt: skip
    assert set(whole) == {column.name for column in LOG_COLUMNS}
    plain = read_stream(written(as_json_lines([whole]), "log.jsonl"))
    for column in LOG_COLUMNS:
        for other in column.also:
            cells = {other.title() if name == column.name else name: cell for name, cell in whole.items()}
            for content, name in ((as_json_lines([cells]), "log.jsonl"), (as_csv([cells]), "log.csv")):
                stream = read_stream(written(content, name))
                assert (stream.levels.tolist(), stream.names.tolist()) == (plain.levels.tolist(), plain.names.tolist())
                assert not any("Ignored" in note for note in stream.notes)


def test_the_sample_files_make_a_market_of_money(request):
    folder = request.config.rootpath / "assets" / "streams"
    prices = read_prices(folder / "sample_prices.csv")
    stream = read_stream(folder / "sample_log.csv", prices=prices)
    with (folder / "sample_log.csv").open() as file:
        models = {row["model"] for row in csv.DictReader(file)}
    assert set(stream.names.ravel()) == models == set(prices.of)
