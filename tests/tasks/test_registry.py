import subprocess
import sys
from pathlib import Path

import pytest

from compecon.errors import OfflineError, TaskError
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.objectives import next_token_loss, objective_of
from compecon.tasks.readers.glue import SST2
from compecon.tasks.readers.hub_tables import GLUE
from compecon.tasks.task import Task
from compecon.tasks.task_registry import TASKS, entry_of, read_task

ROOT = Path(__file__).resolve().parents[2]


def test_naming_the_tasks_loads_no_heavy_library():
    heavy = {"torch", "transformers", "datasets", "scipy"}
    check = f"import compecon.tasks.task_registry, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_task_says_what_it_is():
    for name, entry in TASKS.items():
        assert entry.name == name
        assert entry.title.endswith((".", "?"))
        assert all((entry.metrics, entry.source, entry.licence))
    assert {"cola", "mnli", "xnli/zh", "wikitext-103", "corpus"} <= TASKS.keys()


@pytest.mark.parametrize("kind", sorted({entry.kind for entry in TASKS.values()}))
def test_every_kind_of_task_has_an_objective(kind):
    assert callable(objective_of(kind))


def test_language_modelling_learns_the_next_token():
    assert objective_of("language", 0.7) is next_token_loss


def test_an_unknown_name_is_answered_with_the_names_there_are_and_the_closest():
    with pytest.raises(
        TaskError, match=r"called 'sst-2'\. Did you mean sst2\? There are: cola, .*, reviews, and files:PATH"
    ):
        read_task("sst-2")


def test_the_diagnostic_set_is_refused_with_the_reason():
    with pytest.raises(TaskError, match=r"ax is refused: .* no public labels"):
        entry_of("ax")


def test_a_task_without_a_reader_of_folders_says_which_have_one(tmp_path):
    with pytest.raises(TaskError, match=r"qqp is not read from a data folder, only cola, .*Leave out the folder"):
        read_task("qqp", tmp_path)


def test_offline_the_hub_is_not_asked(monkeypatch):
    monkeypatch.setattr(
        "compecon.tasks.readers.hub_tables.load_tables", lambda *_, **__: pytest.fail("the Hub was asked")
    )
    with pytest.raises(OfflineError, match=r"nyu-mll/glue rte.* HF_HUB_OFFLINE"):
        read_task("rte", offline=True)


def test_a_data_folder_needs_no_hub(tmp_path):
    (tmp_path / "sst2").mkdir()
    for name in ("train", "dev", "test"):
        (tmp_path / "sst2" / f"{name}.tsv").write_text("good\t1\nbad\t0\n")
    task = read_task("sst2", tmp_path, offline=True)
    assert isinstance(task, Task)
    assert task.labels == SST2.labels


def test_local_files_are_named_with_their_columns(tmp_path):
    rows = [f"{i},title {i},review {i},{i % 3}" for i in range(80)]
    path = tmp_path / "my reviews.csv"
    path.write_text("\n".join(["id,title,text,stars", *rows]))
    task = read_task(f"files:{path}?label=stars&pair=title&seed=3", offline=True)
    assert (task.name, task.labels, len(task.splits["train"].pairs) > 0) == ("my reviews", ("0", "1", "2"), True)
    assert read_task(f"files:{path}?label=stars&kind=regression").kind == "regression"


@pytest.mark.parametrize("query", ["colour=red", "label", "seed=x", "kind=ranking"])
def test_a_wrong_option_of_local_files_is_refused(tmp_path, query):
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(80)))
    with pytest.raises(TaskError):
        read_task(f"files:{tmp_path / 'a.csv'}?{query}")


def test_real_tasks_are_read_by_name(data_dir):
    for name in ("cola", "sick", "xnli/es"):
        task = read_task(name, data_dir)
        assert isinstance(task, Task)
        assert task.reported
    test = read_task("wikitext-2", data_dir)
    assert isinstance(test, LanguageTask)
    assert test.reported == ("test",)


def test_tasks_of_pairs_say_so():
    """Against where their rows are read from."""
    assert {name: TASKS[name].is_pair for name in GLUE} == {
        name: table.pair is not None for name, table in GLUE.items()
    }
    others = {name for name, entry in TASKS.items() if entry.is_pair} - GLUE.keys()
    assert {name.partition("/")[0] for name in others} == {"sick", "sick-relatedness", "xnli"}
