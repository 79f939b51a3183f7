"""What a data folder must hold is told wherever a wrong one is given, and it is what the readers look for."""

from contextlib import suppress

import pytest

from compecon.errors import OfflineError, TaskError
from compecon.runs.jobs.job_registry import RECIPES
from compecon.tasks.task_registry import TASKS, read_task
from compecon.tasks.understood_task import understood
from compecon.views.runs.task_look import look_at

READABLE = [name for name, entry in TASKS.items() if entry.layout and (name[:5] != "xnli/" or name == "xnli/de")]


def wrong(place, name):
    """Folders that hold nothing of a task, in every way there is."""
    (place / "empty").mkdir()
    (place / "a file").write_text("no folder")
    inner = place / "data" / TASKS[name].layout.files[0].partition("/")[0]
    held(place / "data", name)
    return [place / "empty", place / "nowhere", place / "a file", inner, place / ("x" * 300)]


def held(folder, name):
    """Make the files that a task's layout names, and nothing in them."""
    for pattern in TASKS[name].layout.files:
        path = folder / pattern.replace("*", "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def settings(name, folder):
    checkpoint = "causal" if TASKS[name].kind == "language" else "sentiment"
    return RECIPES["evaluate"].checked({"checkpoint": checkpoint, "task": name, "data": str(folder)})


@pytest.mark.parametrize("name", READABLE)
def test_a_wrong_folder_is_answered_with_what_it_must_hold_wherever_it_is_given(name, tmp_path):
    for folder in wrong(tmp_path, name):
        look = look_at("evaluate", settings(name, folder))
        assert not look.may_begin
        with pytest.raises(TaskError) as before:
            understood("evaluate", settings(name, folder))
        with pytest.raises(TaskError) as reading:
            read_task(name, folder)
        for said in (look.problem, str(before.value), str(reading.value)):
            assert all(pattern in said for pattern in TASKS[name].layout.files)
            assert "Errno" not in said


def test_a_folder_one_too_deep_is_answered_with_the_right_one(tmp_path):
    for name in READABLE:
        held(tmp_path / "data", name)
    unnamed = {}
    for name in READABLE:
        with pytest.raises(TaskError) as refusal:
            read_task(name, tmp_path / "data" / TASKS[name].layout.files[0].partition("/")[0])
        if str(tmp_path / "data") not in str(refusal.value):
            unnamed[name] = str(refusal.value)
    assert unnamed == {}


@pytest.mark.parametrize("name", READABLE)
def test_the_readers_look_for_the_files_that_are_named(name, tmp_path):
    held(tmp_path, name)
    entry = TASKS[name]
    entry.layout.require(tmp_path, name)
    if entry.layout.needs_all:
        for pattern in entry.layout.files:
            path = tmp_path / pattern.replace("*", "")
            path.unlink()
            with pytest.raises((FileNotFoundError, ValueError)):
                entry.from_folder(tmp_path)
            path.touch()
    needs_rows = name.startswith(("xnli", "corpus"))
    with suppress(ValueError, *([FileNotFoundError] if needs_rows else [])):  # nothing is in the files
        entry.from_folder(tmp_path)


def test_a_file_that_cannot_be_opened_is_answered_with_the_layout(tmp_path, monkeypatch):
    held(tmp_path, "sst2")
    refused = PermissionError(13, "Permission denied", "train.tsv")
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_, **__: (_ for _ in ()).throw(refused))
    with pytest.raises(TaskError, match=r"sst2/train\.tsv"):
        read_task("sst2", tmp_path)


@pytest.mark.parametrize("name", ["sst2", "qqp", "xnli/de", "wikitext-2"])
def test_without_a_network_it_is_said_what_a_folder_must_hold_if_there_can_be_one(name, monkeypatch):
    def unreachable(*_, **__):
        raise OfflineError("no way there.")

    for module in ("hub_tables", "xnli", "language_modeling"):
        monkeypatch.setattr(f"compecon.tasks.readers.{module}.load_tables", unreachable)
    for offline in (False, True):
        with pytest.raises(OfflineError) as found:
            read_task(name, offline=offline)
        layout = TASKS[name].layout
        assert layout is None or all(pattern in str(found.value) for pattern in layout.files)


def test_a_form_looks_again_when_the_files_are_there(tmp_path):
    assert not look_at("evaluate", settings("sst2", tmp_path)).may_begin
    held(tmp_path, "sst2")
    assert look_at("evaluate", settings("sst2", tmp_path)).may_begin
