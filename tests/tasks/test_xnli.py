import pytest

from compecon.errors import TaskError
from compecon.tasks.readers.xnli import LANGUAGES, definition, read_xnli

HEADER = "language\tgold_label\tsentence1\tsentence2\tgenre"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "xnli").mkdir()
    parts = {
        "xnli_dev_a.tsv": ["es\tneutral\tA.\tB.\tx", "en\tentailment\tC.\tD.\tx"],
        "xnli_dev_b.tsv": ['es\tcontradiction\tE.\t"F\t'],
    }
    for name, rows in parts.items():
        (tmp_path / "xnli" / name).write_text("\n".join([HEADER, *rows]) + "\n")
    (tmp_path / "xnli" / "en_xnli_dev_hyp.tsv").write_text("He\tO\n\n")  # word tags of another corpus
    return tmp_path


def test_a_language_is_picked_from_all_parts(folder):
    split = read_xnli(folder, "es").splits["dev"]
    assert (split.texts, split.pairs, split.targets.tolist()) == (("A.", "E."), ("B.", '"F'), [1, 2])


def test_a_folder_with_dev_alone_can_be_measured_on_and_says_that_it_cannot_be_learnt_from(folder):
    task = read_xnli(folder, "en")
    assert task.reported == ("dev",)
    with pytest.raises(TaskError, match=r"xnli/en has no train rows here, only dev"):
        task.part("train")


def test_train_and_test_are_read_where_they_are(folder):
    (folder / "xnli" / "xnli.test.tsv").write_text(f"{HEADER}\nen\tneutral\tG.\tH.\tx\n")
    (folder / "xnli" / "multinli.train.en.tsv").write_text("premise\thypo\tlabel\nI.\tJ.\tcontradictory\n")
    task = read_xnli(folder, "en")
    assert {name: split.targets.tolist() for name, split in task.splits.items()} == {
        "train": [2],
        "dev": [0],
        "test": [1],
    }
    assert task.splits["train"].pairs == ("J.",)
    assert task.reported == ("test",)


def test_a_language_that_is_not_there_is_refused_with_those_that_are(folder):
    with pytest.raises(TaskError, match="is in de, only in en, es"):
        read_xnli(folder, "de")


def test_an_empty_folder_is_said_by_the_names_it_should_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"xnli_dev\*\.tsv"):
        read_xnli(tmp_path, "en")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("language\tlabel\n", "no column gold_label, sentence1, sentence2"),
        (f"{HEADER}\nen\tmaybe\ta\tb\tx\n", "line 2 has the label 'maybe'"),
        (f"{HEADER}\nen\tneutral\ta\n", "line 2 has 3 columns, expected 5"),
    ],
)
def test_a_file_of_another_layout_is_named(folder, content, words):
    (folder / "xnli" / "xnli.dev.tsv").write_text(content)
    with pytest.raises(ValueError, match=words):
        read_xnli(folder, "en")


def test_there_are_fifteen_languages_each_with_its_title():
    assert len({definition(language).title for language in LANGUAGES}) == 15


@pytest.mark.parametrize("language", ["en", "es"])
def test_real_dev_rows_are_2490_in_three_equal_classes(data_dir, language):
    split = read_xnli(data_dir, language).splits["dev"]
    assert len(set(zip(split.texts, split.pairs, strict=True))) == 2490
    assert [split.targets.tolist().count(label) for label in range(3)] == [830, 830, 830]
