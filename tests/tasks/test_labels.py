import itertools

import numpy as np
import pytest

from compecon.errors import TaskError
from compecon.tasks.labels import LabelDoubtError, LabelMatch, match_labels
from compecon.tasks.readers.glue import NLI_LABELS, SICK, SST2, STSB
from compecon.tasks.rows import split


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_head_in_any_order_is_matched_by_name(order):
    head = [NLI_LABELS[i].upper() for i in order]
    match = match_labels(NLI_LABELS, head)
    assert [head[column].lower() for column in match.columns] == list(NLI_LABELS)
    assert match.by_name
    assert match.in_order is (order == (0, 1, 2))


def test_case_blanks_and_hyphens_do_not_set_names_apart():
    assert match_labels(["entailment", "not_entailment"], ["Not-Entailment", " entailment"]).columns == (1, 0)


def test_a_sign_or_a_grade_is_no_blank():
    assert match_labels(["-1", "1"], ["1", "-1"]).columns == (1, 0)
    assert match_labels(["A", "A-", "a+"], ["a-", "A+", "a"]).columns == (2, 0, 1)


NUMBERS = ["0", "1", "2"]
PLACES = ["LABEL_0", "LABEL_1", "LABEL_2"]


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [(NLI_LABELS, PLACES), (NLI_LABELS, NUMBERS), (NLI_LABELS, ["LABEL_1", "LABEL_0", "LABEL_2"]),
     (NUMBERS, NLI_LABELS), (["1", "2", "3"], PLACES), (["1", "2", "3"], NLI_LABELS), (["-1", "0", "1"], PLACES)],
)  # fmt: skip
def test_if_only_one_of_both_has_names_the_order_is_asked_for(wanted, offered):
    with pytest.raises(LabelDoubtError, match="labels=") as doubt:
        match_labels(wanted, offered)
    assert doubt.value.wanted == tuple(wanted)
    assert set(doubt.value.names) in (set(wanted), set(offered))


@pytest.mark.parametrize("wanted", [NUMBERS, ["0", "2", "1"], PLACES])
@pytest.mark.parametrize("offered", [NUMBERS, PLACES, ["LABEL_2", "LABEL_0", "LABEL_1"]])
def test_numbers_are_matched_by_number(wanted, offered):
    columns = match_labels(wanted, offered).columns
    assert [wanted[i][-1] for i in range(3)] == [offered[column][-1] for column in columns]


@pytest.mark.parametrize(("offered", "columns"), [(PLACES, (0, 1, 2)), (["LABEL_2", "LABEL_0", "LABEL_1"], (1, 2, 0))])
def test_an_order_that_was_said_is_that_of_the_outputs_numbers(offered, columns):
    assert match_labels(NLI_LABELS, offered, stated=True) == LabelMatch(columns, by_name=False)


def test_names_count_more_than_an_order_that_was_said():
    assert match_labels(["a", "b"], ["b", "a"], stated=True) == LabelMatch((1, 0), by_name=True)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_task_in_another_order_gives_the_same_decisions(order):
    rows = [(str(i), None, i % 3) for i in range(6)]
    task = SICK.task({"test": split(rows, int)})
    turned = task.with_order([NLI_LABELS[place].upper() for place in order])
    named = [turned.labels[target] for target in turned.splits["test"].targets]
    assert named == [NLI_LABELS[target] for target in task.splits["test"].targets]
    assert turned.check_labels(PLACES).in_order
    with pytest.raises(TaskError, match="not those of sick"):
        task.with_order(["entailment", "neutral", "other"])


@pytest.mark.parametrize(
    "head", [["a", "b", "c"], ["entailment", "neutral", "neutral"]], ids=["other names", "a name twice"]
)
def test_other_names_are_refused_with_both_lists(head):
    with pytest.raises(TaskError, match=rf"entailment, neutral, contradiction .*{head[0]}, {head[1]}, {head[2]}"):
        match_labels(NLI_LABELS, head)


def test_another_number_of_outputs_is_refused_with_both_numbers():
    with pytest.raises(TaskError, match=r"3 classes .* 2 outputs"):
        match_labels(NLI_LABELS, ["LABEL_0", "LABEL_1"])


def test_predictions_are_in_the_tasks_order_whatever_the_heads():
    task = SST2.task({})
    logits = np.array([[2.0, 1.0], [0.0, 3.0]])
    assert task.predictions(logits).tolist() == [0, 1]
    assert task.predictions(logits, task.check_labels(["POSITIVE", "NEGATIVE"])).tolist() == [1, 0]


def test_logits_that_are_no_answer_to_the_task_are_refused():
    with pytest.raises(TaskError, match="2 outputs a row"):
        SST2.task({}).predictions(np.zeros((4, 3)))


def test_a_score_needs_one_output_of_any_name():
    task = STSB.task({})
    assert task.check_labels(["LABEL_0"]).in_order
    assert task.predictions(np.array([[1.5], [2.5]])).tolist() == [1.5, 2.5]
    with pytest.raises(TaskError, match=r"one score .* 3 outputs"):
        task.check_labels(NLI_LABELS)


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_outside_the_classes_is_refused_with_its_row(label):
    with pytest.raises(TaskError, match=f"row 2 of test of sst2 has the label {label}, expected 0 to 1"):
        SST2.task({"test": split([("a", None, 1), ("b", None, label)], int)})


def test_a_score_that_is_no_number_is_refused_with_its_row():
    with pytest.raises(TaskError, match="row 1 of dev of stsb has the label nan"):
        STSB.task({"dev": split([("a", "b", float("nan"))], float)})
