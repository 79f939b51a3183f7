"""An unknown name is answered with the known one that is close to it, wherever there are names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from compecon.allocation.streams.bundled_streams import list_streams, open_stream
from compecon.benchmarks.run import run_benchmarks
from compecon.checkpoints.locate import bundled_names, locate
from compecon.errors import CompeconError, SettingError, did_you_mean
from compecon.runs.executors.choice import executor_for
from compecon.runs.home import Home
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.store import RunStore
from compecon.runs.submission import recipe_named
from compecon.tasks.task_registry import TASKS, entry_of

STREAM = next(entry.name for entry in list_streams())

UNKNOWN: dict[str, tuple[Callable[[str], object], str]] = {
    "checkpoint": (locate, next(iter(bundled_names()))),
    "task": (entry_of, next(iter(TASKS))),
    "recipe": (recipe_named, next(iter(RECIPES))),
    "stream": (open_stream, STREAM),
    "benchmark": (lambda name: run_benchmarks([name], None, print), "thresholds"),
    "executor": (lambda name: executor_for(name, RunStore(Home(Path("nowhere")))), "local"),
    "setting": (lambda name: RECIPES["train"].read({name: 1}), "steps"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_a_slip_is_answered_with_what_was_meant(what):
    look_up, name = UNKNOWN[what]
    for slip in (f"{name}x", name[:-1], name.upper()):
        with pytest.raises((CompeconError, SettingError), match=rf"mean {name}\?"):
            look_up(slip)


@pytest.mark.parametrize("name", ["", "zzzzzz", "x" * 10**6])
def test_nothing_is_guessed_where_nothing_is_close(name):
    assert did_you_mean(name, ["sst2", "mnli"]) == ""
