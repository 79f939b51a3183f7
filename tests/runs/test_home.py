"""The folder that everything lies in."""

import os
import threading
from pathlib import Path

import pytest

from compecon.errors import RunError
from compecon.files.durable import read_json, write_json
from compecon.runs.home import Home
from compecon.runs.locks import Lock


def test_the_environment_says_where_home_is(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "there"))
    assert Home.default() == Home(tmp_path / "there")
    monkeypatch.setenv("COMPECON_HOME", "~/there")
    assert Home.default() == Home(Path.home() / "there")
    monkeypatch.delenv("COMPECON_HOME")
    assert Home.default().root.name == "compecon"


def test_a_home_is_made_when_it_is_needed(tmp_path):
    home = Home(tmp_path / "a" / "b")
    assert not home.root.exists()
    assert home.slots == {}
    assert home.made() == home == home.made()
    assert {path.name for path in home.root.iterdir()} == {"runs", "trash", "queues", "sweeps"}


def test_a_home_that_cannot_be_made_says_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="Set COMPECON_HOME"):
        Home(tmp_path / "file" / "home").made()


def test_numbers_rise_in_every_thread(home):
    found = []
    threads = [threading.Thread(target=lambda: found.append(home.next_number())) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 13))


@pytest.mark.parametrize(
    "content", [None, "", "{", '{"last": "7"}', '{"last": true}', '{"last": -3}', '{"last": 1e99}', "[]"]
)
def test_a_number_is_larger_than_those_of_all_runs_whatever_its_file_says(home, content):
    write_json(_made(home.runs / "run-00000001") / "spec.json", {"order": 41})
    write_json(_made(home.trash / "run-00000002-5") / "spec.json", {"order": 42})
    write_json(_made(home.runs / "run-00000003") / "spec.json", {"order": "many"})
    (_made(home.runs / "run-00000004") / "spec.json").write_text("{")
    (home.root / "number.json").unlink(missing_ok=True)
    if content is not None:
        (home.root / "number.json").write_text(content)
    assert home.next_number() == 43
    assert home.next_number() == 44


def test_a_number_that_cannot_be_drawn_says_who_is_in_the_way(home, monkeypatch):
    taken = Lock.taken
    monkeypatch.setattr(Lock, "taken", lambda path, patience_s: taken(path, min(patience_s, 0.05)))
    lock = taken(home.root / "number.lock")
    assert lock is not None
    with pytest.raises(RunError, match="has been held"):
        home.next_number()
    lock.release()
    assert home.next_number() == 1


def test_slots_are_kept(home):
    home.set_slots("cpu", 3)
    home.set_slots("gpu", 2)
    assert dict(home.slots) == {"cpu": 3, "gpu": 2}


@pytest.mark.parametrize(("device", "number"), [("tpu", 1), ("cpu", 0), ("cpu", 257), ("gpu", -1)])
def test_slots_that_make_no_sense_are_refused(home, device, number):
    with pytest.raises(ValueError, match="slots are a number"):
        home.set_slots(device, number)


@pytest.mark.parametrize(
    "slots", ['"many"', '{"cpu": "2"}', '{"cpu": true}', '{"cpu": 0}', '{"cpu": 1000000}', '{"cpu": 1.5}', "null"]
)
def test_settings_that_someone_broke_count_as_not_set(home, slots):
    (home.root / "settings.json").write_text(f'{{"slots": {slots}}}')
    assert dict(home.slots) == {}


def test_a_folder_in_the_place_of_settings_counts_as_not_set(home):
    (home.root / "settings.json").mkdir()
    assert dict(home.slots) == {}
    with pytest.raises(RunError, match="cannot be written"):
        home.set_slots("cpu", 2)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_refused(home):
    home.runs.chmod(0o555)
    try:
        with pytest.raises(RunError, match="not writable"):
            home.made()
    finally:
        home.runs.chmod(0o755)


def test_the_last_number_is_in_a_file(home):
    home.next_number()
    assert read_json(home.root / "number.json") == {"schema": 1, "last": 1}


def _made(folder):
    folder.mkdir()
    return folder
