"""Specs and statuses from files that anybody may have changed."""

import json
from contextlib import suppress
from dataclasses import asdict, fields, replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from compecon.errors import RunError
from compecon.runs.record import RunSpec, RunState, Status, checked_id

SPEC = RunSpec("train", {"epochs": 3, "task": "sst2", "deep": {"a": [1]}}, title="A title", versions={"torch": "2"})
STATUS = Status(RunState.RUNNING, "Because.", 2, "dense", 5, 10, 1.5, 77, "host", "cpu", {"a": 1}, "0" * 64)
NEITHER = [None, "text", 1.5, -(10**16), 10**400, True, [], {}, {"a": {}}, float("nan"), float("inf"), [[]]]


def as_file(value):
    return json.loads(json.dumps(asdict(value)))


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
        changed = {**good, field.name: bad}
        with suppress(RunError):
            read = kind.read(changed)
            assert type(getattr(read, field.name)) in (type(getattr(kind.read(good), field.name)), int)
            assert json.dumps(asdict(read), allow_nan=field.name in ("params", "results"))


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
        ("state", "DONE"),
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


def test_an_entry_that_no_version_has_is_named():
    with pytest.raises(RunError, match="'command'"):
        RunSpec.read({**as_file(SPEC), "command": "rm"})


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
        "schema": 2,
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
    assert state.can_resume == (state.is_finished and state is not RunState.SUCCEEDED)
