"""What a form says of its task before anything is started."""

import pytest

from compecon.runs.jobs.job_registry import RECIPES
from compecon.tasks.task_registry import options_of, with_labels
from compecon.views.runs import task_look
from compecon.views.runs.task_look import look_at


@pytest.fixture
def table(tmp_path):
    def write(*labels, n=80):
        path = tmp_path / "mine.csv"
        path.write_text("text,label\n" + "".join(f"text {i},{labels[i % len(labels)]}\n" for i in range(n)))
        return path

    return write


def looked(recipe, task, **more):
    source = "base" if recipe == "train" else "checkpoint"
    return look_at(recipe, RECIPES[recipe].checked({"task": task, source: "sentiment", **more}))


def test_a_table_is_shown_with_the_output_of_each_class(table):
    look = looked("prune", f"files:{table('positive', 'Negative')}", target=0.5)
    assert (look.problem, look.doubt, look.may_begin) == ("", None, True)
    assert any("Negative = output 0 (negative), positive = output 1 (positive)" in line for line in look.lines)


@pytest.mark.parametrize("recipe", ["evaluate", "statistics", "prune", "train"])
def test_numbers_are_asked_about_and_only_a_training_may_begin(table, recipe):
    task = f"files:{table(0, 1)}"
    look = looked(recipe, task, **({"target": 0.5} if recipe == "prune" else {}))
    assert look.doubt is not None
    assert look.doubt.names == ("negative", "positive")
    assert look.may_begin is (recipe == "train")
    settled = looked(recipe, with_labels(task, look.doubt.names), **({"target": 0.5} if recipe == "prune" else {}))
    assert (settled.doubt, settled.may_begin) == (None, True)


def test_a_task_of_a_name_is_matched_without_being_read():
    assert looked("evaluate", "sst2").lines == (
        "sentiment: negative = output 0 (negative), positive = output 1 (positive).",
    )
    assert not looked("evaluate", "sick").may_begin


def test_every_problem_of_a_file_is_said_until_it_is_mended(table):
    path = table("positive", "negative")
    whole = path.read_text()
    path.write_text(whole + ",positive\nx,\n")
    look = looked("evaluate", f"files:{path}")
    assert not look.may_begin
    assert [n for n in (82, 83) if f"line {n}" in look.problem] == [82, 83]
    assert looked("evaluate", f"files:{path}", skip_bad_rows=True).may_begin
    path.write_text(whole)
    assert looked("evaluate", f"files:{path}").may_begin


def test_files_that_are_not_there_or_too_large_for_a_look_are_said(table, tmp_path, monkeypatch):
    assert not looked("evaluate", f"files:{tmp_path / 'absent.csv'}").may_begin
    monkeypatch.setattr(task_look, "_MOST_BYTES", 10)
    assert "--dry-run" in looked("evaluate", f"files:{table('positive', 'negative')}").lines[0]


@pytest.mark.parametrize("names", [("a", "b"), ("a,b", "c & d"), ("50 %", "x+y", "#1"), ("ja", "é=è")])
def test_names_of_classes_come_back_from_an_address(names):
    for name in ("sick", "sick?labels=x,y", "files:a.csv?text=t&labels=x,y&seed=3", "files:a.csv"):
        address = with_labels(name, names)
        assert options_of(address)[1]["labels"] == names
        assert options_of(address)[1].get("seed") == (3 if "seed" in name else None)
