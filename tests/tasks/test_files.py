import json

import numpy as np
import pytest

from compecon.tasks.readers.data_folder import read_cola, read_mnli, read_sick, read_sst2, read_stsb
from compecon.tasks.readers.glue import NLI_LABELS


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def sst2(tmp_path):
    for split in ("train", "dev", "test"):
        write(tmp_path / "sst2" / f"{split}.tsv", f"a fine {split} film\t1", "no\u2028movement\t0")
    return tmp_path


def test_sst2_reads_text_and_label(sst2):
    split = read_sst2(sst2).splits["dev"]
    assert split.texts == ("a fine dev film", "no\u2028movement")  # other line ends than \n are part of a text
    assert split.pairs == ()
    assert split.targets.tolist() == [1, 0]


def test_a_wrong_label_is_named_with_its_file_and_line(sst2):
    write(sst2 / "sst2" / "test.tsv", "fine\t1", "neither\t2")
    with pytest.raises(ValueError, match=r"test\.tsv, line 2 .*must be 0 or 1"):
        read_sst2(sst2)


def test_an_absent_file_is_said_by_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train\.tsv"):
        read_sst2(tmp_path)


def test_stsb_takes_score_and_sentences_of_rows_with_and_without_sources_and_with_lone_quotes(tmp_path):
    for split in ("train", "dev", "test"):
        write(
            tmp_path / "stsb" / f"sts-{split}.csv",
            'main\tMSRvid\t2012\t0001\t3.800\tA "man plays.\tA man sings.',
            "main\tnews\t2015\t0002\t0.000\tOne.\tTwo.\tsource one\tsource two",
        )
    task = read_stsb(tmp_path)
    assert task.splits["train"].texts == ('A "man plays.', "One.")
    assert task.splits["train"].pairs == ("A man sings.", "Two.")
    assert task.splits["train"].targets.tolist() == [3.8, 0.0]
    assert task.kind == "regression"


def test_mnli_joins_parts_and_keeps_a_tenth_of_train_for_choosing(tmp_path):
    rows = [json.dumps({"premise": f"p{i}", "hypothesis": f"h{i}", "label": NLI_LABELS[i % 3]}) for i in range(30)]
    write(tmp_path / "mnli" / "train_a.jsonl", *rows[:20])
    write(tmp_path / "mnli" / "train_b.jsonl", *rows[20:])
    write(tmp_path / "mnli" / "dev_matched.jsonl", *rows[:2])
    splits = read_mnli(tmp_path).splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 27, "dev": 3, "test": 2}
    assert splits["train"].texts + splits["dev"].texts == tuple(f"p{i}" for i in range(30))
    assert splits["train"].targets.tolist()[:4] == [0, 1, 2, 0]


def test_sick_skips_its_header_and_reads_the_judgement(tmp_path):
    for name in ("SICK_train", "SICK_trial", "SICK_test_annotated"):
        write(
            tmp_path / "sick" / f"{name}.txt", "pair_ID\tA\tB\trelatedness\tentailment", "1\tx\ty\t4.5\tCONTRADICTION"
        )
    split = read_sick(tmp_path).splits["test"]
    assert (split.texts, split.pairs, split.targets.tolist()) == (("x",), ("y",), [2])


def test_real_data_have_the_published_sizes(data_dir):
    sizes = {name: len(split) for name, split in read_sst2(data_dir).splits.items()}
    assert sizes == {"train": 6920, "dev": 872, "test": 1821}
    stsb = read_stsb(data_dir).splits
    assert {name: len(split) for name, split in stsb.items()} == {"train": 5749, "dev": 1500, "test": 1379}
    assert np.ptp(stsb["test"].targets) == 5
    assert len(read_sick(data_dir).splits["test"]) == 4927


def test_real_mnli_train_and_test_share_no_pair(data_dir):
    splits = read_mnli(data_dir).splits
    pairs = {name: set(zip(split.texts, split.pairs, strict=True)) for name, split in splits.items()}
    assert not pairs["train"] & pairs["test"]


COLA_ROWS = [f'gj04\t{i % 2}\t{"*" * (1 - i % 2)}\tSentence {i} of "it.' for i in range(40)]


@pytest.fixture
def cola(tmp_path):
    write(tmp_path / "cola" / "in_domain_train.tsv", *COLA_ROWS)
    write(tmp_path / "cola" / "in_domain_dev.tsv", "gj04\t1\t\tNear.")
    write(tmp_path / "cola" / "out_of_domain_dev.tsv", "clc95\t0\t?*\tFar .")
    return tmp_path


def test_cola_tests_on_both_dev_files_and_cuts_its_own_dev_from_all_over_train(cola):
    splits = read_cola(cola).splits
    assert (splits["test"].texts, splits["test"].targets.tolist()) == (("Near.", "Far ."), [1, 0])
    assert {name: len(split) for name, split in splits.items()} == {"train": 36, "dev": 4, "test": 2}
    assert set(splits["train"].texts) | set(splits["dev"].texts) == {row.split("\t")[3] for row in COLA_ROWS}
    assert splits["dev"].texts != tuple(row.split("\t")[3] for row in COLA_ROWS[-4:])


@pytest.mark.parametrize(("row", "words"), [("gj04\t1\tA.", "4 columns, got 3"), ("gj04\tyes\t\tA.", "must be 0 or 1")])
def test_a_wrong_row_of_cola_is_named(cola, row, words):
    write(cola / "cola" / "in_domain_dev.tsv", row)
    with pytest.raises(ValueError, match=rf"in_domain_dev\.tsv, line 1 .*{words}"):
        read_cola(cola)


def test_mismatched_rows_of_mnli_are_reported_beside_the_matched(tmp_path):
    row = json.dumps({"premise": "p", "hypothesis": "h", "label": "neutral"})
    for name, n in {"train": 20, "dev_matched": 2, "dev_mismatched": 3}.items():
        write(tmp_path / "mnli" / f"{name}.jsonl", *[row] * n)
    task = read_mnli(tmp_path)
    assert [(name, len(task.splits[name])) for name in task.reported] == [("test", 2), ("mismatched", 3)]


def test_real_cola_is_that_of_glue(data_dir):
    splits = read_cola(data_dir).splits
    assert len(splits["train"]) + len(splits["dev"]) == 8551
    assert len(splits["test"]) == 1043
