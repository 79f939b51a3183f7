"""What buttons do to runs. Whatever goes wrong is said on the page, in the words of whoever refused."""

from __future__ import annotations

from collections.abc import Callable

from app.server.resources import forget_checkpoints, run_store, runs
from app.state.form_state import close_form
from app.state.runs_state import Notice, choose_run, hold_notice, look_at_sweep
from app.train.run_resources import executor, executor_of_run
from compecon.errors import CompeconError
from compecon.runs.run_record import RunState
from compecon.runs.submission import new_spec
from compecon.runs.sweeps.points import Points, named
from compecon.runs.sweeps.sweep import left_out, resume_sweep, stop_sweep, submit_sweep
from compecon.views.runs.form_draft import MAX_TITLE, FormDraft
from compecon.views.runs.presets import PRESETS, QUICK


def perform(action: Callable[..., Notice | None], *given: object) -> None:
    """Do it, and say what became of it; for callbacks."""
    try:
        hold_notice(action(*given))
    except CompeconError as error:
        hold_notice(Notice(str(error), went_wrong=True))
    except OSError as error:
        hold_notice(Notice(f"That failed: {error.strerror or error}.", went_wrong=True))


def start(draft: FormDraft) -> Notice | None:
    """Start what stands in a form. The same form with the same settings starts it once, however often it is pressed."""
    points, title = draft.points(), draft.title.strip()
    if len(points) > 1:
        return _start_sweep(draft, points, title)
    [point] = points
    params = {**points.params, **point}
    about = {"title": title or title_of(draft, points), "parent_run": draft.parent, "priority": draft.priority}
    spec = new_spec(points.recipe, params, **about)
    run_id = executor().submit(spec, f"{draft.nonce} {spec.digest}")
    close_form(run_id)
    return None


def _start_sweep(draft: FormDraft, points: Points, title: str) -> Notice:
    key = f"{draft.nonce} {sorted(points.params.items())!r} {points.points!r}"
    store = run_store()
    title = title or title_of(draft, points)
    sweep = submit_sweep(executor(), store.home, points, title=title, priority=draft.priority, key=key)
    close_form()
    look_at_sweep(sweep)
    return Notice(f"{len(points)} runs submitted; they take turns on this machine.")


def title_of(draft: FormDraft, points: Points) -> str:
    """A line for people, from what is run on what."""
    source = str(points.params.get(draft.does.source, "")).rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    about = " on ".join(filter(None, (source, str(points.params.get("task", "")))))
    size = named({name: points.params[name] for name in draft.does.either if points.params.get(name) is not None})
    own = "" if draft.vary or not draft.does.either else size
    return ", ".join(filter(None, (draft.does.label, about, own)))[:MAX_TITLE]


def quick_look() -> None:
    """Start the first look of an empty list; once, from however many tabs."""
    preset = PRESETS[QUICK]
    [(recipe, params)] = preset.points
    choose_run(executor().submit(new_spec(recipe, params, title=preset.title), f"first {preset.name}"))


def stop(run_id: str) -> None:
    """Ask a run to save and end; the second time, end it at once."""
    executor_of_run(run_store().get(run_id)).stop(run_id)


def resume(run_id: str) -> None:
    """Let a run go on, or try it again."""
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
    """Let every run of a sweep go on that ended before its time, and submit those that are missing."""
    waiting = left_out(run_store(), sweep)
    started = resume_sweep(executor(), run_store().home, sweep)
    left = [record for record in waiting if record.run_id not in started]
    n_stopping = sum(record.state is RunState.STOPPING for record in left)
    more = [f"{n_stopping} are still stopping: press again once they have ended."] if n_stopping else []
    more += [f"{len(left) - n_stopping} from a newer compecon version were skipped."] if len(left) > n_stopping else []
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
