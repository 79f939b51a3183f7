"""Specs and statuses from files that anybody may have changed."""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, fields, replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from compecon.errors import NewerError, RunError
from compecon.runs.run_record import RunSpec, RunState, Status, checked_id

SPEC = RunSpec("train", {"epochs": 3, "task": "sst2", "deep": {"a": [1]}}, title="A title", versions={"torch": "2"})
STATUS = Status(RunState.RUNNING, "Because.", 2, "dense", 5, 10, 1.5, 77, "host", "cpu", {"a": 1}, "0" * 64)
NEITHER = [None, "text", 1.5, -(10**16), 10**400, True, [], {}, {"a": {}}, float("nan"), float("inf"), [[]]]


def as_file(value):
    return json.loads(json.dumps(value.as_json()))


def test_what_is_written_is_read():
    assert RunSpec.read(as_file(SPEC)) == SPEC
    assert Status.read(as_file(STATUS)) == STATUS


def test_a_status_may_leave_out_what_it_does_not_know():
    assert Status.read({"state": "QUEUED"}) == Status()


@pytest.mark.parametrize("kind", [RunSpec, Status])
@pytest.mark.parametrize("bad", NEITHER, ids=lambda bad: repr(bad)[:12])
def test_any_value_in_any_place_is_read_or_refused(kind, bad):
    good = as_file(SPEC if kind is RunSpec else STATUS)
    for field in fields(kind):
        if field.name == "more":
            continue  # whatever is not known
        changed = {**good, field.name: bad}
        with suppress(RunError):
            read = kind.read(changed)
            assert type(getattr(read, field.name)) in (type(getattr(kind.read(good), field.name)), int)
            assert json.dumps(asdict(read), allow_nan=field.name in ("params", "results", "saved", "load"))


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("recipe", 1),
        ("params", []),
        ("title", None),
        ("title", "x" * 201),
        ("queue", "tpu"),
        ("queue", "../../x"),
        ("threads", 0),
        ("threads", 10**6),
        ("threads", True),
        ("order", -1),
        ("order", 10**12),
        ("order", "1"),
        ("created_at", float("nan")),
        ("created_at", "now"),
        ("versions", {"torch": 2}),
        ("schema", 2),
        ("schema", "1"),
    ],
)
def test_a_spec_that_was_edited_wrongly_is_refused(name, bad):
    with pytest.raises(RunError):
        RunSpec.read({**as_file(SPEC), name: bad})


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("state", "done"),
        ("state", None),
        ("state", {}),
        ("state", []),
        ("reason", None),
        ("pid", "1"),
        ("pid", True),
        ("step", 1.5),
        ("seconds", float("inf")),
        ("results", []),
    ],
)
def test_a_status_that_was_edited_wrongly_is_refused(name, bad):
    with pytest.raises(RunError, match=r"status\.json is damaged"):
        Status.read({**as_file(STATUS), name: bad})


@pytest.mark.parametrize("good", [SPEC, STATUS], ids=["spec", "status"])
def test_entries_of_a_newer_compecon_are_kept(good):
    changed = {**as_file(good), "mood": {"is": ["fine"]}, "more": 3}
    read = type(good).read(changed)
    assert read == replace(good, more={"mood": {"is": ["fine"]}, "more": 3})
    assert as_file(read) == changed


@pytest.mark.parametrize("good", [SPEC, STATUS], ids=["spec", "status"])
def test_a_newer_version_is_not_read(good):
    with pytest.raises(NewerError, match="schema 2"):
        type(good).read({**as_file(good), "schema": 2, "params": [], "state": "x"})


def test_a_state_of_a_newer_compecon_is_not_read():
    with pytest.raises(NewerError, match="PAUSED"):
        Status.read({**as_file(STATUS), "state": "PAUSED"})


def test_what_came_later_is_left_out_at_its_default_so_that_digests_stay():
    assert "priority" not in as_file(SPEC)
    assert as_file(replace(SPEC, priority="normal"))["priority"] == "normal"
    before = {"recipe": "train", "params": {}, "title": "", "sweep": "", "parent_run": "", "queue": "cpu", "threads": 1}
    before |= {"executor": "local", "order": 0, "created_at": 0.0, "versions": {}, "schema": 1}
    digest = hashlib.sha256(json.dumps(before, sort_keys=True).encode()).hexdigest()
    assert RunSpec("train").digest == digest


def test_a_spec_without_its_recipe_is_incomplete():
    value = as_file(SPEC)
    del value["recipe"]
    with pytest.raises(RunError, match="incomplete"):
        RunSpec.read(value)


@given(st.sampled_from([field.name for field in fields(RunSpec)]))
def test_the_digest_changes_with_every_part(name):
    others = {
        "recipe": "prune",
        "params": {"epochs": 4},
        "title": "b",
        "sweep": "s",
        "parent_run": "p",
        "queue": "gpu",
        "threads": 2,
        "executor": "ray",
        "order": 9,
        "created_at": 1.0,
        "versions": {"torch": "3"},
        "priority": "normal",
        "more": {"a": 1},
    }
    assert replace(SPEC, **{name: others[name]}).digest != SPEC.digest


def test_the_digest_survives_the_file():
    assert RunSpec.read(as_file(SPEC)).digest == SPEC.digest


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "short",
        "a" * 41,
        "../../../x",
        "run/..//x",
        "UPPERCASE",
        "a b c d e",
        "a\nbcdefgh",
        "abcdefgh\n",
        "CON",
        "ünderware",
    ],
)
def test_a_name_that_could_be_a_path_is_refused(bad):
    with pytest.raises(RunError, match="a run's name"):
        checked_id(bad)


def test_an_ordinary_name_is_taken():
    assert checked_id("train-0123456789ab") == "train-0123456789ab"


@pytest.mark.parametrize("state", list(RunState))
def test_only_what_ended_without_success_can_be_resumed(state):
    ended = state.is_finished and state not in (RunState.SUCCEEDED, RunState.NEWER)
    assert state.can_resume == ended
