"""Many texts in many sessions: whether the server and the models' process end as large as they began."""

from __future__ import annotations

from itertools import count

from compecon.benchmarks.browser import chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.figures import Figure, Goal, Table
from compecon.benchmarks.made_models import bundled_checkpoint, text_of
from compecon.benchmarks.models import change, sizes_of
from compecon.benchmarks.server import dashboard

_TOKENS = 32
_OFF_BY = 10.0  # %


def sessions_table(sessions: int, texts: int, settled: int) -> Table:
    """Open a page, give it texts, close it, again and again.

    Args:
        sessions: How many pages.
        texts: Of each.
        settled: After so many sessions caches are full, and memory is read for the first time; below `sessions`.
    """
    checkpoint, seeds = bundled_checkpoint(), count()
    sizes: list[dict[str, float]] = []
    with chromium() as browser, dashboard() as server:
        for _ in range(sessions):
            with fresh_page(browser) as page:
                wait_for_sweep(page, server.url(text=text_of(checkpoint, _TOKENS, seed=next(seeds))))
                for _ in range(texts - 1):
                    change(page, text_of(checkpoint, _TOKENS, seed=next(seeds)))
            sizes.append(sizes_of(server))
    figures: list[Figure] = []
    for name in sizes[0]:
        began, ended = sizes[settled - 1][name], sizes[-1][name]
        figures += [
            Figure(f"{name}: after {settled * texts} texts", "MB", (began,)),
            Figure(f"{name}: after {sessions * texts}", "MB", (ended,)),
            Figure("  which is larger by", "%", (100 * (ended / began - 1),), Goal("max", _OFF_BY)),
        ]
    notes = (
        f"{sessions} sessions one after the other, {texts} texts of {_TOKENS} tokens in each, all different. Resident "
        "memory; before the first reading the cache of results fills up.",
    )
    return Table(f"memory: {sessions * texts} texts in {sessions} sessions", tuple(figures), notes)
