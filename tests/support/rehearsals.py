"""Rehearsals: what they should come to, whatever happens to them."""

from collections import Counter
from pathlib import Path
from typing import Any

from compecon.files.complete import MARKER, checkpoints_of, is_complete
from compecon.runs.folder import METRICS
from compecon.runs.history import History
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.rehearsal import undisturbed
from compecon.runs.run_record import RunRecord, RunSpec, RunState
from compecon.runs.store import RunStore
from tests.support.runs import until


def rehearsal(**params: Any) -> RunSpec:
    """A rehearsal of a second or so."""
    return RunSpec("rehearsal", RECIPES["rehearsal"].checked({"steps": 40, "step_ms": 5, "save_every": 4, **params}))


def history(store: RunStore, run_id: str) -> History:
    """All that a run has told so far."""
    found = History(store.folder(run_id) / METRICS)
    found.read_on()
    return found


def last_step(store: RunStore, run_id: str) -> int:
    """The last step that a run has told of."""
    return max((record["step"] for record in history(store, run_id).steps.get("rehearsal", [])), default=0)


def at_step(store: RunStore, run_id: str, step: int) -> RunRecord:
    """A run as soon as it has told of a step; its status says so up to half a second later."""

    def look() -> bool:
        record = store.get(run_id)
        assert not record.state.is_finished, f"{record.state}: {record.reason}"
        return last_step(store, run_id) >= step

    until(look)
    return store.get(run_id)


def saved_step(store: RunStore, run_id: str) -> int:
    """The step that a run would go on from."""
    whole = [path for path in checkpoints_of(store.folder(run_id) / "checkpoints") if is_complete(path)]
    return int(whole[-1].name.rpartition("-")[2]) if whole else 0


def half_saved(folder: Path) -> list[Path]:
    """Checkpoints that are being written."""
    return [path for path in checkpoints_of(folder / "checkpoints") if not (path / MARKER).exists()]


def assert_undisturbed(record: RunRecord) -> None:
    """That a run came to what it would have come to if nothing had happened, and told each step once."""
    assert record.state is RunState.SUCCEEDED, f"{record.state}: {record.reason}"
    assert record.status.results["chain"] == undisturbed(record.spec.params)
    found = History(record.folder / METRICS)
    found.read_on()
    told = Counter(step["step"] for step in found.steps["rehearsal"])
    assert told == Counter(range(1, int(str(record.spec.params["steps"])) + 1))
    assert found.damaged == 0
    weights = next((record.folder / "result").rglob("weights.bin"))
    assert weights.is_file()
