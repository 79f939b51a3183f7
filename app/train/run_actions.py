"""What buttons do to runs. What goes wrong is shown on the page, in the words of the error."""

from __future__ import annotations

from collections.abc import Callable

from app.server.resources import forget_checkpoints, run_store, runs
from app.state.runs_state import NOTICE, Notice, choose_run
from app.train.run_resources import executor, executor_of_run
from compecon.errors import CompeconError
from compecon.runs.run_record import RunState
from compecon.runs.submission import new_spec
from compecon.runs.sweeps.sweep import left_out, resume_sweep, stop_sweep
from compecon.views.runs.presets import PRESETS, QUICK


def perform(action: Callable[..., Notice | None], *given: object) -> None:
    """Do it, and keep the outcome for the page; for callbacks."""
    try:
        NOTICE.put(action(*given))
    except CompeconError as error:
        NOTICE.put(Notice(str(error), went_wrong=True))
    except OSError as error:
        NOTICE.put(Notice(f"That failed: {error.strerror or error}.", went_wrong=True))


def quick_look() -> None:
    """Start the quick look of an empty list; once, from however many tabs."""
    from compecon.views.runs.form_draft import FormDraft  # noqa: PLC0415 - every setting: only once a run is started

    draft = FormDraft.blank().with_preset(PRESETS[QUICK])
    spec = new_spec(draft.does.recipe, draft.params, title=PRESETS[QUICK].title)
    choose_run(executor().submit(spec, f"first {QUICK}"))


def stop(run_id: str) -> None:
    """Ask a run to save and end; the second time, end it at once."""
    executor_of_run(run_store().get(run_id)).stop(run_id)


def resume(run_id: str) -> None:
    """Resume a run, or try it again."""
    executor_of_run(run_store().get(run_id)).start(run_id)


def resume_all() -> Notice:
    """Resume every lost run, the oldest first."""
    lost = [record for record in reversed(runs()) if record.state is RunState.LOST]
    for record in lost:
        executor_of_run(record).start(record.run_id)
    return Notice(f"{_counted(len(lost))} started again.")


def stop_runs(sweep: str) -> Notice:
    """Stop every run of a sweep that is not finished; the second time, end them at once."""
    n_runs = len(stop_sweep(executor(), run_store().home, sweep))
    return Notice(f"{_counted(n_runs)} asked to save and stop.")


def resume_runs(sweep: str) -> Notice:
    """Resume every run of a sweep that ended early, and submit those that are missing."""
    waiting = left_out(run_store(), sweep)
    started = resume_sweep(executor(), run_store().home, sweep)
    left = [record for record in waiting if record.run_id not in started]
    n_stopping = sum(record.state is RunState.STOPPING for record in left)
    more = [f"{n_stopping} still stopping: press again once they have ended."] if n_stopping else []
    more += [f"{len(left) - n_stopping} from a newer compecon version skipped."] if len(left) > n_stopping else []
    return Notice(" ".join([f"{_counted(len(started))} started again.", *more]))


def _counted(n_runs: int) -> str:
    return "1 run was" if n_runs == 1 else f"{n_runs} runs were"


def delete(run_id: str) -> Notice:
    """Move a run to the trash."""
    title = run_store().get(run_id).title
    run_store().delete(run_id)
    forget_checkpoints()
    return Notice(f"“{title}” is in the trash.", deleted=run_id)


def restore(run_id: str) -> None:
    """Take a run out of the trash."""
    run_store().restore(run_id)
    forget_checkpoints()
    choose_run(run_id)
