import json

import numpy as np
import pytest
from typer.testing import CliRunner

from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.streams.curves_file import read_curves
from compecon.cli import app
from compecon.errors import CompeconError


@pytest.fixture
def run():
    def invoke(*arguments):
        result = CliRunner().invoke(app, ["allocate", *map(str, arguments)])
        if isinstance(result.exception, CompeconError):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def curves(tmp_path):
    file = tmp_path / "curves.csv"
    file.write_text("query,threshold,slope,decay\neasy,100,1.5,0.005\nhard,700,1.5,0.005\nmiddling,300,1.5,0.005\n")
    return file


def test_the_json_says_what_the_library_says(run, curves):
    found = json.loads(run(curves, "--budget", 900, "--rule", "shadow-price", "--json").stdout)
    expected = ShadowPrice().allocate(read_curves(curves).utility, 900)
    assert [query["query"] for query in found["queries"]] == ["easy", "hard", "middling"]
    assert [query["spend"] for query in found["queries"]] == expected.spend.tolist()
    assert [query["abandoned"] for query in found["queries"]] == [False, True, False]
    assert (found["price"], found["value"], found["upper_bound"]) == (
        expected.price,
        expected.value,
        expected.upper_bound,
    )
    assert found["abandoned"] == 1
    assert found["spent"] <= 900


def test_the_text_says_price_gap_and_the_abandoned(run, curves):
    text = run(curves, "--budget", 900).stdout
    assert "1 of 3 queries abandoned" in text
    assert "hard: 0, worth 0" in text


def test_equal_queries_are_rationed_and_the_strict_rule_is_named(run, tmp_path):
    file = tmp_path / "few_levels.csv"
    file.write_text("query,budget,correct\n" + "".join(f"q{i},10,1\n" for i in range(9)))
    found = json.loads(run(file, "--budget", 75, "--json").stdout)
    assert (found["value"], found["upper_bound"], found["abandoned"]) == (7, 7, 2)
    assert found["price"] == 0.1
    assert found["strict"] == {"value": 0, "spent": 0, "abandoned": 9}
    assert "--rule shadow-price" in run(file, "--budget", 75).stdout
    assert "--rule shadow-price" not in run(file, "--budget", 90).stdout


LOG = """Query,Model,Correct,input_tokens,output_tokens,finish_reason
easy,strong,1,1000,1000,stop
easy,cheap,1,1000,1000,stop
hard,strong,1,1000,1000,stop
hard,cheap,0,1000,1000,length
dear,strong,1,1000,90000,stop
dear,cheap,0,1000,1000,stop
"""


def test_a_log_with_prices_says_where_to_send_each_query_and_what_it_costs(run, tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "prices.json").write_text(
        '{"strong": {"input": 3, "output": 15}, "cheap": {"input": 0.1, "output": 0.4}}'
    )
    asked = (tmp_path / "log.csv", "--budget", 0.02, "--prices", tmp_path / "prices.json")
    found = json.loads(run(*asked, "--json").stdout)
    assert found["unit"] == "money"
    assert {query["query"]: query["send_to"] for query in found["queries"]} == {
        "easy": "cheap", "hard": "strong", "dear": None,
    }  # fmt: skip
    assert [query["spend"] for query in found["queries"]] == pytest.approx([0.0005, 0.018, 0])
    assert found["spent"] == pytest.approx(0.0185)
    assert found["value"] == 2
    text = run(*asked).stdout
    assert "hard: send it to strong, 0.018" in text
    assert "dear: abandoned" in text
    assert "1 answer was cut" in text


def test_a_price_table_without_a_model_is_refused_with_the_line(run, tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "prices.csv").write_text("model,input,output\nstrong,3,15\n")
    with pytest.raises(CompeconError, match=r"log\.csv, line 3: no price in prices\.csv for model 'cheap'"):
        run(tmp_path / "log.csv", "--budget", 1, "--prices", tmp_path / "prices.csv")


def test_attempts_are_turned_into_curves(run, tmp_path):
    rng, rows = np.random.default_rng(0), ["query,tokens,correct,cut"]
    for query, threshold in (("short", 50), ("long", 400)):
        rows += [f"{query},{threshold + rng.gamma(2, 20):.2f},{int(rng.random() < 0.9)},0" for _ in range(30)]
    rows += ["hopeless,500,0,1", "hopeless,90,0,0"]
    (tmp_path / "attempts.csv").write_text("\n".join(rows))
    found = json.loads(run(tmp_path / "attempts.csv", "--budget", 250, "--json").stdout)
    assert (found["curves"], found["unsolved"]) == ("rollouts", ["hopeless"])
    assert {query["query"]: query["abandoned"] for query in found["queries"]} == {"short": False, "long": True}
    assert 50 < found["queries"][0]["spend"] <= 250
    assert 0.7 < found["value"] <= 1
    assert "never answered correctly" in run(tmp_path / "attempts.csv", "--budget", 250).stdout


def test_attempts_that_tell_nothing_are_refused(run, tmp_path):
    (tmp_path / "attempts.csv").write_text("query,tokens,correct\na,10,0\na,20,0\n")
    with pytest.raises(CompeconError, match=r"attempts\.csv"):
        run(tmp_path / "attempts.csv", "--budget", 10)


def test_a_floor_is_no_purchase(run, curves):
    found = json.loads(run(curves, "--budget", 900, "--floor", 10, "--whole", "--json").stdout)
    assert [query["spend"] for query in found["queries"] if query["abandoned"]] == [10]
    assert all(query["spend"] == int(query["spend"]) for query in found["queries"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--budget", "nan"), "The budget must be finite"),
        (("--budget", 10, "--rule", "clear"), "got 'clear'"),
        (("--budget", 10, "--floor", 10), "floors alone take 30"),
        (("--budget", 10, "--floor", 10, "--cap", 5), "above its cap"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run, curves, arguments, message):
    with pytest.raises(CompeconError, match=message):
        run(curves, *arguments)


def test_a_file_that_is_not_there_is_refused(run, tmp_path):
    with pytest.raises(CompeconError, match=r"none\.csv"):
        run(tmp_path / "none.csv", "--budget", 1)
