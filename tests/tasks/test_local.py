"""Local files become tasks: what labels mean, and who is in which split."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from compecon.errors import TaskError
from compecon.tasks.readers.cells import TableRow
from compecon.tasks.readers.local_files import SHARES, by_hash, read_table


@pytest.fixture
def table(tmp_path):
    """A CSV of rows (text, label), by the name of the file."""

    def write(rows, name="reviews.csv", header="text,label"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
        return path

    return write


def labelled(*labels, n=60):
    return [(f"text {i}", labels[i % len(labels)]) for i in range(n)]


def read(path, **options):
    return read_table(path, **{"text": "text", "label": "label", **options})


def plain(texts):
    return [TableRow(f"row {i}", text, None, "x") for i, text in enumerate(texts)]


# ---- splits


@hypothesis.given(strategies.lists(strategies.text(max_size=8), max_size=30), strategies.integers(0, 3))
def test_every_row_is_in_one_split_and_equal_texts_are_together(texts, seed):
    rows = plain(texts)
    dealt = by_hash(rows, SHARES, seed)
    assert sorted(row.where for part in dealt.values() for row in part) == sorted(row.where for row in rows)
    homes = [{row.text.casefold() for row in part} for part in dealt.values()]
    assert sum(map(len, homes)) == len(set.union(*homes))


def test_a_row_stays_in_its_split_whatever_else_the_file_holds():
    rows = plain(f"text {i}" for i in range(200))
    few = rows[50:20:-1]
    whole = {row.text: name for name, part in by_hash(rows, SHARES, 0).items() for row in part}
    assert all(whole[row.text] == name for name, part in by_hash(few, SHARES, 0).items() for row in part)


def test_case_and_blanks_do_not_make_another_text():
    dealt = by_hash(plain(["A  b", "a b ", "a B"]), {"train": 0.5, "test": 0.5}, 0)
    assert sorted(map(len, dealt.values())) == [0, 3]


def test_splits_have_their_shares_and_another_seed_deals_otherwise():
    rows = plain(map(str, range(5000)))
    one, two = (by_hash(rows, {"train": 0.6, "dev": 0.3, "test": 0.1}, seed) for seed in (0, 1))
    assert [len(part) / 5000 for part in one.values()] == pytest.approx([0.6, 0.3, 0.1], abs=0.02)
    assert one["test"] != two["test"]


@pytest.mark.parametrize("shares", [{}, {"train": 1.2, "dev": -0.2}, {"train": 0.5, "test": 0.4}])
def test_shares_add_up_to_1(shares):
    with pytest.raises(ValueError, match="sum of 1"):
        by_hash([], shares, 0)


def test_the_same_file_gives_the_same_task(table):
    path = table(labelled("a", "b"))
    one, two = read(path), read(path)
    assert {name: split.texts for name, split in one.splits.items()} == {n: s.texts for n, s in two.splits.items()}
    assert (one.name, one.reported) == ("reviews", ("test",))


def test_a_folder_has_a_file_for_each_split_and_parts_are_joined(table):
    table(labelled("a", "b", n=6), "mine/train-1.csv")
    table(labelled("a", "b", n=4), "mine/train-2.csv")
    table(labelled("b", "a", n=3), "mine/validation.csv")
    task = read(table(labelled("a", "b", n=2), "mine/test.csv").parent)
    assert {name: len(split) for name, split in task.splits.items()} == {"train": 10, "dev": 3, "test": 2}
    assert task.splits["dev"].targets.tolist() == [1, 0, 1]
    assert task.name == "mine"


def test_a_folder_without_dev_cuts_it_from_train(table):
    table(labelled("a", "b", n=100), "mine/train.csv")
    task = read(table(labelled("a", "b", n=2), "mine/test.csv").parent)
    assert len(task.splits["train"]) + len(task.splits["dev"]) == 100
    assert 2 <= len(task.splits["dev"]) <= 25


def test_a_folder_without_train_can_be_measured_on_and_not_learnt_from(table):
    task = read(table(labelled("a", "b"), "mine/test.csv").parent)
    assert task.reported == ("test",)
    with pytest.raises(TaskError, match=r"mine has no train rows here, only test"):
        task.part("train")


def test_pairs_are_read_and_dealt_by_their_first_text(table):
    rows = [(f"text {i % 40}", f"other {i}", "ab"[i % 2]) for i in range(120)]
    task = read(table(rows, header="text,pair,label"), pair="pair")
    homes = [set(split.texts) for split in task.splits.values()]
    assert sum(map(len, homes)) == 40
    assert all(len(split.pairs) == len(split) for split in task.splits.values())


# ---- what labels mean


def targets(task):
    return {
        text: target for split in task.splits.values() for text, target in zip(split.texts, split.targets, strict=True)
    }


def test_words_are_classes_in_alphabetical_order(table):
    task = read(table(labelled("pos", "neg", "neutral")))
    assert (task.kind, task.labels) == ("classification", ("neg", "neutral", "pos"))
    assert [targets(task)[f"text {i}"] for i in range(3)] == [2, 0, 1]
    assert [metric.name for metric in task.metrics] == ["accuracy", "matthews"]


def test_whole_numbers_are_classes_in_their_order(table):
    assert read(table(labelled("10", "9", "-1"))).labels == ("-1", "9", "10")


def test_whole_numbers_with_a_point_are_the_same_classes(table):
    """pandas writes whole numbers beside a gap so."""
    task = read(table(labelled("1.0", "0.0", "1")))
    assert (task.labels, [targets(task)[f"text {i}"] for i in range(3)]) == (("0", "1"), [1, 0, 1])


def test_other_numbers_are_scores(table):
    task = read(table(labelled("1.5", "2", "-3e-1")))
    assert (task.kind, task.labels, task.metric) == ("regression", ("label",), "spearman")
    assert [targets(task)[f"text {i}"] for i in range(3)] == [1.5, 2.0, -0.3]
    assert task.splits["train"].targets.dtype == np.float64


def test_the_kind_can_be_said(table):
    path = table(labelled("1.0", "2.0"))
    assert read(path, kind="regression").kind == "regression"
    assert read(table(labelled("1", "2")), kind="regression").kind == "regression"


def notes(task):
    return " ".join(task.reading.notes)


def test_spellings_that_no_head_tells_apart_are_one_class_and_it_is_said(table):
    task = read(table(labelled("Positive", "positive", "negative", "positive", "not-good", "not good")))
    assert task.labels == ("negative", "not good", "positive")
    assert [targets(task)[f"text {i}"] for i in range(6)] == [2, 2, 0, 2, 1, 1]
    assert "'Positive' (10 rows), 'positive' (20 rows)" in notes(task)


def test_classes_of_one_row_and_those_called_as_what_is_missing_are_said_with_their_rows(table):
    task = read(table([*labelled("yes", "no", n=58), ("odd", "yess"), ("none", "N/A"), ("none too", "N/A")]))
    assert task.labels == ("N/A", "no", "yes", "yess")
    assert "'yess' (reviews.csv, line 60)" in notes(task)
    assert "'N/A' is read as a class, of 2 rows (the first: reviews.csv, line 61)" in notes(task)


def test_names_of_classes_can_be_given_to_numbers_and_in_an_order(table):
    for spelled in (("0", "1"), ("0.0", "1.0"), ("1", "2"), ("Bad", "GOOD")):
        task = read(table(labelled(*spelled)), labels=("bad", "good"))
        assert task.labels == ("bad", "good")
        assert task.stated
        assert [targets(task)[f"text {i}"] for i in range(2)] == [0, 1]
    assert [targets(read(table(labelled("a", "b")), labels=("b", "a")))[f"text {i}"] for i in range(2)] == [1, 0]


@pytest.mark.parametrize(
    ("spelled", "names"),
    [(("0", "2"), ("bad", "good")), (("bad", "x"), ("bad", "good")), (("a", "b"), ("a", "A", "b"))],
)
def test_labels_that_are_none_of_the_names_given_are_refused(table, spelled, names):
    with pytest.raises(TaskError, match="labels="):
        read(table(labelled(*spelled)), labels=names)


# ---- labels that are not there


@pytest.mark.parametrize("label", ["", "-1", "nan", "-1.0"])
def test_a_split_without_labels_is_absent_and_it_is_said(table, label):
    table(labelled("0", "1", "2"), "mine/train.csv")
    task = read(table([("a", label), ("b", label)], "mine/test.csv").parent)
    assert (tuple(task.splits), task.labels) == (("train", "dev"), ("0", "1", "2"))
    assert "test is left out: none of its 2 rows has a label" in notes(task)


def test_minus_one_is_a_class_where_it_stands_beside_others_as_one(table):
    assert read(table(labelled("-1", "0", "1"))).labels == ("-1", "0", "1")
    assert read(table(labelled("-1", "1"))).labels == ("-1", "1")


def test_minus_one_beside_0_1_2_is_no_label_unless_it_is_named(table):
    path = table(labelled("-1", "0", "1", "2", n=240))
    with pytest.raises(TaskError, match=r"60 problems[^\n]*--skip-bad-rows"):
        read(path)
    assert read(path, skip_bad_rows=True).labels == ("0", "1", "2")
    assert read(path, labels=("-1", "0", "1", "2")).labels == ("-1", "0", "1", "2")


def test_words_for_nothing_among_numbers_are_no_labels(table):
    path = table(labelled("1.5", "2.5", "N/A", n=240))
    with pytest.raises(TaskError, match=r"line 4: label is N/A"):
        read(path)
    assert read(path, skip_bad_rows=True).kind == "regression"


def test_nothing_but_rows_without_labels_is_refused(table):
    with pytest.raises(TaskError, match="no row of reviews"):
        read(table(labelled("", n=10)))


def test_bad_rows_are_all_said_or_left_out_with_the_first_five_named(table):
    rows = labelled("a", "b", n=80)
    for place in range(0, 30, 5):
        rows[place] = ("", "a") if place % 2 else ("x", "")
    path = table(rows)
    with pytest.raises(TaskError) as refused:
        read(path)
    lines = str(refused.value).splitlines()
    assert len(lines) == 7
    assert "reviews.csv, line 12: label is missing" in str(refused.value)
    task = read(path, skip_bad_rows=True)
    assert sum(map(len, task.splits.values())) == 74
    assert "6 rows were left out, for 6 problems, the first 5 of which are: reviews.csv, line" in notes(task)
    assert notes(task).count("reviews.csv, line") == 5


@pytest.mark.parametrize(
    ("labels", "options", "words"),
    [
        (["a"], {}, "all 60 rows have the label 'a'"),
        (["1", "2", "three"], {}, r"numbers and words, the first word 'three' in reviews\.csv, line 4"),
        ([f"name {i}" for i in range(60)], {}, "60 different values in 60 rows"),
        (["1.5", "inf"], {"kind": "regression"}, r"line 3: label is 'inf', expected a finite number"),
        (["a", "b"], {"kind": "regression"}, r"line 2: label is 'a', expected a finite number"),
        (["a", "b"], {"kind": "ranking"}, "kind must be auto"),
        (["a", "b"], {"label": "stars"}, r"no column stars\. It has: 'text', 'label'"),
    ],
)
def test_labels_that_mean_nothing_are_refused(table, labels, options, words):
    with pytest.raises(TaskError, match=words):
        read(table(labelled(*labels)), **options)


def test_too_few_rows_are_refused_with_their_number(table):
    with pytest.raises(TaskError, match=r"too few rows: .*test \d"):
        read(table(labelled("a", "b", n=6)))


def test_one_class_to_learn_from_is_refused(table):
    table(labelled("a", n=20), "mine/train.csv")
    with pytest.raises(TaskError, match="all train rows of mine have the label 'a'"):
        read(table(labelled("a", "b"), "mine/test.csv").parent)


def test_a_folder_with_a_split_twice_is_refused(table):
    table(labelled("a", "b"), "mine/train.csv")
    with pytest.raises(TaskError, match=r"train\.csv and train\.tsv"):
        read(table(labelled("a", "b"), "mine/train.tsv").parent)


def test_a_folder_of_other_files_is_refused_with_what_is_there(table):
    with pytest.raises(TaskError, match=r"There is: README\.md"):
        read(table([], "mine/README.md").parent)


def test_a_folder_takes_no_shares(table):
    folder = table(labelled("a", "b"), "mine/train.csv").parent
    with pytest.raises(ValueError, match="is a folder"):
        read(folder, splits=SHARES)
