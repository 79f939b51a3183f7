import itertools

import numpy as np
import pytest

from compecon.errors import TaskError
from compecon.tasks.glue import NLI_LABELS, SST2, STSB
from compecon.tasks.labels import LabelMatch, match_labels
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


@pytest.mark.parametrize("head", [["LABEL_0", "LABEL_1", "LABEL_2"], ["0", "1", "2"]])
def test_a_head_without_names_is_taken_in_its_order_and_says_so(head):
    assert match_labels(NLI_LABELS, head) == LabelMatch((0, 1, 2), by_name=False)


@pytest.mark.parametrize(
    "head",
    [["LABEL_1", "LABEL_0", "LABEL_2"], ["a", "b", "c"], ["entailment", "neutral", "neutral"]],
    ids=["generic names out of order", "other names", "a name twice"],
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
