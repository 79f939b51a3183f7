"""A text is changed: how long until its first picture, and until every budget of the grid is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from compecon.benchmarks.browser import chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bundled_checkpoint, text_of
from compecon.benchmarks.server import dashboard
from compecon.benchmarks.timing import one_thread, seconds_of
from compecon.checkpoints.load import Checkpoint

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_GOAL_MS = 150.0  # and one forward pass
_RESTED_MS = {32: 60.0, 128: 120.0}  # goals by tokens, and one forward pass, where the text was typed some time before
_ROUNDS = {32: 14, 128: 7}  # by tokens


def measure(settings: Settings) -> list[Table]:
    """Type texts of 32 and of 128 tokens into the page, each a new one."""
    checkpoint = bundled_checkpoint()
    with chromium() as browser, dashboard() as server:
        return [_table(browser, server.url, checkpoint, n, settings.pick(full, 2)) for n, full in _ROUNDS.items()]


def _table(browser: Browser, url: Any, checkpoint: Checkpoint, n: int, rounds: int) -> Table:
    texts = [text_of(checkpoint, n, seed=seed) for seed in range(2 * rounds + 2)]
    with fresh_page(browser) as page:
        wait_for_sweep(page, url(text=texts[0]))
        _change_text(page, texts[1])  # the first one shows what is compiled and imported late
        changes, rested = [], []
        for text, other in zip(texts[2::2], texts[3::2], strict=True):
            changes.append({**_change_text(page, text), "forward": _forward_ms(checkpoint, text)})
            rested.append(_show_text(page, other) - _forward_ms(checkpoint, other))

    def column(name: str) -> tuple[float, ...]:
        return tuple(change[name] for change in changes)

    beyond = tuple(change["shown"] - change["forward"] for change in changes)
    figures = (
        Figure("Ctrl+Enter to first picture", "ms", column("shown")),
        Figure("  without one forward pass", "ms", beyond, Goal("median", _GOAL_MS)),
        Figure("  the same, typed some time before", "ms", tuple(rested), Goal("median", _RESTED_MS[n])),
        Figure("  of it: until the page requests the sweep", "ms", column("asked")),
        Figure("  of it: until the first message arrives", "ms", column("opened")),
        Figure("  of it: until the first frame arrives", "ms", column("first")),
        Figure("Ctrl+Enter to all grid budgets exact", "ms", column("grid")),
        Figure("Ctrl+Enter to the whole stream", "ms", column("done")),
        Figure("one forward pass, in this process", "ms", column("forward")),
    )
    notes = (
        "A text typed into the sidebar, applied with Ctrl+Enter: a request and beside it a rerun of the script, one "
        "forward pass, statistics of every head, bytes, a picture. Painted when the tokens are new and the badge is "
        "not 'computing'.",
        f"{checkpoint.name} on the CPU; the server's own number of threads, one thread in this process.",
    )
    return Table(f"newtext: another text of {n} tokens", figures, notes)


def _change_text(page: Page, text: str) -> dict[str, float]:
    """Milliseconds after the key press at which things had happened."""
    page.evaluate("() => { compeconBench.texts.length = 0; }")
    field = page.get_by_label("Text", exact=True)
    field.fill(text)
    field.press("Control+Enter")
    page.wait_for_function("() => compeconBench.texts.length && compeconBench.messages.at(-1)?.kind === 'done'")
    found: dict[str, Any] = page.evaluate(
        "() => ({ ...compeconBench.texts[0], messages: compeconBench.messages, requests: compeconBench.requests })"
    )
    opening, *others = found["messages"]
    frames = {m["k"]: m["at"] for m in others if m["kind"] == "frame"}
    at = {
        "shown": found["shown"],
        "asked": found["requests"][0],
        "opened": opening["at"],
        "first": others[0]["at"],
        "grid": max(frames[k] for k in opening["grid"]),
        "done": others[-1]["at"],
    }
    return {name: moment - found["start"] for name, moment in at.items()}


def _show_text(page: Page, text: str) -> float:
    """Milliseconds from the key press to the first picture of a text that was asked for while typing rested."""
    page.evaluate("() => { compeconBench.texts.length = compeconBench.messages.length = 0; }")
    field = page.get_by_label("Text", exact=True)
    field.fill(text)
    page.wait_for_function("() => compeconBench.messages.at(-1)?.kind === 'done'")
    field.press("Control+Enter")
    page.wait_for_function("() => compeconBench.texts.length")
    start, shown = page.evaluate("() => [compeconBench.texts[0].start, compeconBench.texts[0].shown]")
    return float(shown - start)


def _forward_ms(checkpoint: Checkpoint, text: str) -> float:
    """One plain forward pass; the second of two, since the first one warms the caches."""
    batch = checkpoint.encode(text).batch
    with one_thread(), torch.inference_mode():
        return [1000 * seconds_of(lambda: checkpoint.model(**batch)) for _ in range(2)][1]
