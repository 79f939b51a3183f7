"""`--dry-run`, and what is said before any work: how the task was understood, and which class is which output."""

import json
from pathlib import Path

import pytest

from compecon.tasks.readers.glue import NLI_LABELS
from compecon.tasks.task_metrics import accuracy

COMMANDS = {
    "evaluate": lambda checkpoint: ("evaluate", checkpoint),
    "statistics": lambda checkpoint: ("statistics", checkpoint, "--rows", "4", "--budgets", "1"),
    "prune": lambda checkpoint: ("prune", checkpoint, "--target", "0.5"),
    "train": lambda checkpoint: ("train", "--base", checkpoint, "--steps", "1"),
}
PLACES = ("LABEL_0", "LABEL_1")


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_said_how_the_task_was_understood_and_nothing_is_done(compecon, parent, task, command, tmp_path):
    before = {path for path in tmp_path.rglob("*") if "home" not in path.parts}
    code, out, err = compecon(*COMMANDS[command](parent), "--task", task, "--dry-run")
    assert (code, err) == (0, "")
    for said in ("train: 64 rows; no: ", "test.csv: UTF-8, separated by commas", "no = output 0 (no), yes = output 1"):
        assert said in out
    assert {path for path in tmp_path.rglob("*") if "home" not in path.parts} == before


@pytest.mark.parametrize("command", ["evaluate", "statistics"])
def test_as_json_the_same_lines_are_one_object(compecon, parent, task, command):
    lines = compecon(*COMMANDS[command](parent), "--task", task, "--dry-run")[1].splitlines()
    code, out, _ = compecon(*COMMANDS[command](parent), "--task", task, "--dry-run", "--json")
    assert (code, json.loads(out)) == (0, {"understood": lines})


@pytest.mark.parametrize("command", COMMANDS)
def test_a_head_without_names_is_asked_about_before_any_work(compecon, classifier, task, command):
    code, out, err = compecon(*COMMANDS[command](classifier("unnamed", PLACES)), "--task", task, "--dry-run")
    if command == "train":
        assert (code, err) == (0, "")
        assert "unnamed gets a fresh head" in out
    else:
        assert code == 1
        assert "?labels=no,yes" in err
    code, out, _ = compecon(
        *COMMANDS[command](classifier("unnamed", PLACES)), "--task", f"{task}?labels=yes,no", "--dry-run"
    )
    assert code == 0
    assert "yes = output 0 (LABEL_0), no = output 1 (LABEL_1)" in out


@pytest.mark.parametrize("command", ["evaluate", "statistics", "prune"])
def test_a_head_without_names_is_refused_unless_somebody_vouches_for_its_order(
    compecon, classifier, task, command, tmp_path
):
    more = ("--out", tmp_path / "new") if command == "prune" else ()
    checkpoint = classifier("unnamed", PLACES)
    code, out, err = compecon(*COMMANDS[command](checkpoint), *more, "--task", task)
    assert (code, out) == (1, "")
    assert "?labels=no,yes" in err
    assert compecon(*COMMANDS[command](checkpoint), *more, "--task", f"{task}?labels=no,yes")[0] == 0


def test_the_order_that_was_said_decides(compecon, classifier, task):
    checkpoint = classifier("unnamed", PLACES)
    one, other = (
        float(compecon("evaluate", checkpoint, "--task", f"{task}?labels={order}")[1].split()[3])
        for order in ("no,yes", "yes,no")
    )
    assert one + other == pytest.approx(100)


def test_a_task_of_a_name_takes_an_order_too(compecon, classifier, tmp_path):
    (tmp_path / "sick").mkdir()
    for name in ("train", "trial", "test_annotated"):
        rows = [f"{i}\tw{i} w1\tw{i} w2\t3\t{NLI_LABELS[i % 3].upper()}" for i in range(6)]
        (tmp_path / "sick" / f"SICK_{name}.txt").write_text("\n".join(["pair\ta\tb\tscore\tjudgment", *rows]) + "\n")
    checkpoint = classifier("unnamed", ("LABEL_0", "LABEL_1", "LABEL_2"))
    asked = ("evaluate", checkpoint, "--data", tmp_path, "--task")
    code, _, err = compecon(*asked, "sick")
    assert code == 1
    assert "labels=entailment,neutral,contradiction" in err
    code, out, _ = compecon(*asked, "sick?labels=contradiction,entailment,neutral", "--dry-run")
    assert code == 0
    assert "entailment = output 1 (LABEL_1), neutral = output 2 (LABEL_2)" in out.replace("contradiction", "c")


def test_numbers_in_a_file_get_the_names_of_a_head(compecon, parent, tmp_path):
    table = tmp_path / "numbers.csv"
    table.write_text("text,label\n" + "".join(f"w{i % 20} w{i % 7},{i % 2}\n" for i in range(80)))
    code, _, err = compecon("evaluate", parent, "--task", f"files:{table}")
    assert code == 1
    assert "labels=no,yes" in err
    assert compecon("evaluate", parent, "--task", f"files:{table}?labels=no,yes")[0] == 0


def test_a_sweep_says_it_once_for_all_points(compecon, parent, task):
    code, out, _ = compecon(
        "sweep", "evaluate", "--checkpoint", parent, "--task", task, "--grid", "keys=1,2", "--dry-run"
    )
    assert code == 0
    assert out.count("First row:") == 1


def test_bad_rows_are_refused_together_or_left_out_and_said(compecon, parent, task):
    path = Path(task.removeprefix("files:"), "test.csv")
    path.write_text(path.read_text() + ",yes\nw1,\nw1 w2\n")
    code, _, err = compecon("evaluate", parent, "--task", task)
    assert code == 1
    assert [n for n in (18, 19, 20) if f"test.csv, line {n}" in err] == [18, 19, 20]
    assert "--skip-bad-rows" in err
    code, out, err = compecon("evaluate", parent, "--task", task, "--skip-bad-rows", "--json")
    assert code == 0
    assert "3 rows were left out" in err
    assert '"n": 16' in out


def test_training_rows_that_are_cut_are_said_before_any_work(compecon, parent, task, tmp_path):
    made = ("prune", parent, "--task", task, "--target", "0.5", "--out", tmp_path / "new", "--max-tokens", "4")
    code, out, err = compecon(*made)
    assert code == 0
    assert "rule train: 32 of 64 texts were cut to their first 4 tokens" in err
    assert "rule test: 8 of 16 texts were cut to their first 4 tokens" in out


def test_what_looks_wrong_with_the_rows_is_noted(compecon, parent, tmp_path):
    folder = tmp_path / "few"
    folder.mkdir()
    for name, labels in (("train", "no,yes"), ("dev", "no"), ("test", "no,yes")):
        rows = "".join(
            f"w{i} w{i % 7},{labels.split(',')[i % (1 + (',' in labels))]}\n"
            for i in range(40 if name != "test" else 4)
        )
        (folder / f"{name}.csv").write_text(f"text,label\n{rows}")
    _, out, _ = compecon("evaluate", parent, "--task", f"files:{folder}", "--dry-run")
    notes = [line for line in out.splitlines() if line.startswith("Note: ")]
    assert [line.split()[1] for line in notes] == ["dev", "test"]
    assert "yes" in notes[0]
    assert "4" in notes[1]


def test_a_sweep_names_its_points(compecon, parent, task):
    code, out, _ = compecon("sweep", "train", "--base", parent, "--task", task, "--grid", "steps=1,2,3", "--dry-run")
    assert code == 0
    assert [line for line in out.splitlines() if "steps=" in line] == [f"  steps={n}" for n in (1, 2, 3)]


def test_rows_that_are_all_alike_have_no_interval():
    assert "[" not in accuracy.shown(accuracy([1, 1, 1, 1], [1, 1, 1, 1]))
    assert "[" in accuracy.shown(accuracy([1, 0, 1, 1], [1, 1, 1, 1]))
