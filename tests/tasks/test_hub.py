"""Tasks of the Hub, with the Hub's tables replaced by small ones of the same columns."""

import datasets
import pytest

from compecon.errors import OfflineError, TaskError
from compecon.tasks.readers import hub_tables as hub
from compecon.tasks.readers import language_modeling, xnli
from compecon.tasks.readers.glue import NLI_LABELS
from compecon.tasks.readers.hub_tables import GLUE, hub_glue, hub_mnli, hub_sick, hub_sst2, hub_stsb, load_tables


@pytest.fixture
def serve(monkeypatch):
    """Serve splits of columns instead of the Hub's, and remember what was asked for."""
    asked = []

    def serve(splits, classes=None):
        def load(name, config=None, **options):
            asked.append((name, config, options.get("revision")))
            return {split: table(columns, classes) for split, columns in splits.items()}

        for module in (hub, xnli, language_modeling):
            monkeypatch.setattr(module, "load_tables", load)
        return asked

    return serve


def table(columns, classes):
    made = datasets.Dataset.from_dict(columns)
    return made.cast_column("label", datasets.ClassLabel(names=list(classes))) if classes else made


def columns(name, n, offset=0):
    """Rows of a table of GLUE: texts say which row they are of, and -1 is what its test split holds."""
    where = GLUE[name]
    n_classes = len(where.definition.labels)
    values = [i / 2 if n_classes == 1 else i % n_classes for i in range(n)]
    texts = {where.text: [f"one {i + offset}" for i in range(n)], "label": values, "idx": list(range(n))}
    return texts if where.pair is None else {**texts, where.pair: [f" two {i + offset} " for i in range(n)]}


@pytest.mark.parametrize("name", GLUE)
def test_each_task_of_glue_keeps_its_validation_split_for_test_and_cuts_dev_from_train(serve, name):
    where = GLUE[name]
    unlabelled = {**columns(name, 2), "label": [-1, -1]}
    evaluated = [where.test, *(where.beside or {}).values()]
    splits = {"train": columns(name, 30), "test": unlabelled} | {s: columns(name, 6, 100) for s in evaluated}
    asked = serve(splits)
    task = hub_glue(name)
    assert asked == [("nyu-mll/glue", name, None)]
    assert {s: len(part) for s, part in task.splits.items()} == {"train": 27, "dev": 3} | dict.fromkeys(
        task.reported, 6
    )
    assert set(task.splits["train"].texts) | set(task.splits["dev"].texts) == {f"one {i}" for i in range(30)}
    assert task.splits["test"].texts == tuple(f"one {i}" for i in range(100, 106))
    assert task.splits["test"].pairs == (() if where.pair is None else tuple(f"two {i}" for i in range(100, 106)))
    assert task.splits["test"].targets.tolist() == columns(name, 6)["label"]


def test_each_task_of_glue_is_chosen_by_its_published_metric():
    assert {name: where.definition.metrics[0].name for name, where in GLUE.items()} == {
        "cola": "matthews",
        "sst2": "accuracy",
        "mrpc": "f1",
        "stsb": "spearman",
        "qqp": "f1",
        "mnli": "accuracy",
        "qnli": "accuracy",
        "rte": "accuracy",
        "wnli": "accuracy",
    }


def test_train_is_shuffled_before_dev_is_cut_so_that_a_sorted_table_gives_both_classes(serve):
    rows = {**columns("cola", 200), "label": [0] * 100 + [1] * 100}
    serve({"train": rows, "validation": columns("cola", 6)})
    assert set(hub_glue("cola").splits["dev"].targets.tolist()) == {0, 1}


def test_mnli_reports_the_mismatched_rows_beside_the_matched(serve):
    serve(
        {
            "train": columns("mnli", 30),
            "validation_matched": columns("mnli", 3),
            "validation_mismatched": columns("mnli", 4),
        }
    )
    assert hub_glue("mnli").reported == ("test", "mismatched")


def test_a_table_whose_classes_are_in_another_order_is_refused(serve):
    serve({"train": columns("rte", 30), "validation": columns("rte", 6)}, classes=["not_entailment", "entailment"])
    with pytest.raises(TaskError, match="rte: the classes on the Hub are"):
        hub_glue("rte")


def test_a_table_with_the_classes_expected_is_read(serve):
    serve({"train": columns("rte", 30), "validation": columns("rte", 6)}, classes=["entailment", "not_entailment"])
    assert len(hub_glue("rte").splits["test"]) == 6


def test_rows_without_labels_are_refused(serve):
    serve({"train": columns("rte", 30), "validation": {**columns("rte", 6), "label": [0, 1, -1, 0, 1, 0]}})
    with pytest.raises(TaskError, match="row 3 of test of rte has the label -1"):
        hub_glue("rte")


@pytest.mark.parametrize(
    ("read", "columns", "source"),
    [
        (hub_sst2, {"text": ["a", "b"], "label": [0, 1]}, ("SetFit/sst2", None, None)),
        (hub_stsb, {"sentence1": ["a"], "sentence2": ["b"], "score": [2.5]}, ("mteb/stsbenchmark-sts", None, None)),
        (
            hub_sick,
            {"sentence_A": ["a"], "sentence_B": ["b"], "label": [2]},
            ("RobZamp/sick", None, "refs/convert/parquet"),
        ),
    ],
    ids=["sst2", "stsb", "sick"],
)
def test_tasks_with_public_test_labels_keep_their_splits(serve, read, columns, source):
    asked = serve(dict.fromkeys(("train", "validation", "test"), columns))
    task = read()
    assert asked == [source]
    assert list(task.splits) == ["train", "dev", "test"]
    assert task.splits["test"].targets.tolist() == [*columns.values()][-1]


def test_mnli_can_be_read_in_part(serve):
    serve({"train": columns("mnli", 50), "validation_matched": columns("mnli", 3)})
    assert sum(len(hub_mnli(20).splits[name]) for name in ("train", "dev")) == 20


def test_xnli_is_read_by_language_with_its_three_splits(serve):
    rows = {"premise": ["a", "b"], "hypothesis": ["c", "d"], "label": [0, 2]}
    asked = serve(dict.fromkeys(("train", "validation", "test"), rows), classes=NLI_LABELS)
    task = xnli.hub_xnli("sw")
    assert asked == [("facebook/xnli", "sw", None)]
    assert (task.name, list(task.splits)) == ("xnli/sw", ["train", "dev", "test"])
    assert task.splits["dev"].pairs == ("c", "d")


def test_wikitext_joins_its_lines_to_articles(serve):
    lines = ["", " = One = \n", "", " A @-@ b . \n", " = = Part = = \n", " c \n", " = Two = \n", " d \n"]
    asked = serve({name: {"text": lines} for name in ("train", "validation", "test")})
    task = language_modeling.hub_wikitext("wikitext-103")
    assert asked == [("Salesforce/wikitext", "wikitext-103-raw-v1", None)]
    assert [document.text.split("\n")[0].strip() for document in task.part("test")] == ["= One =", "= Two ="]
    assert [document.words for document in task.part("dev")] == [len("".join(lines[:6]).split()), 4]


@pytest.mark.parametrize("error", [ConnectionError, TimeoutError, FileNotFoundError])
def test_a_hub_out_of_reach_is_said_with_what_to_do(monkeypatch, error):
    def load(*_, **__):
        raise error("no way there")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(OfflineError, match=r"could not load nyu-mll/glue .*no way there"):
        load_tables("nyu-mll/glue", "rte")


def test_code_on_the_hub_is_never_run(monkeypatch):
    seen = {}
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **options: seen.update(options))
    load_tables("nyu-mll/glue", "rte")
    assert "trust_remote_code" not in seen
    assert set(seen) == {"revision", "streaming"}
