"""What the Compare page asks its canvas for. Loads no Streamlit: the first picture comes before that is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from app.server.guard import page_token
from app.server.recordings import sources_of
from app.server.resources import bundled_examples, checkpoints
from app.state.compare_choice import CompareChoice, CompareView
from compecon.checkpoints.catalog import CheckpointEntry
from compecon.views.attention.example_texts import opening_sizes
from compecon.views.attention.request import text_for
from compecon.views.compare.pair import first_pair, pair_notes, pair_problem


def default_pair(entries: Mapping[str, CheckpointEntry]) -> CompareChoice:
    """What the page opens on."""
    a, b = first_pair(entries)
    example = bundled_examples(a)[0]
    return CompareChoice(a, b, example.text, example.pair)


def pair_request(choice: CompareChoice, a: CheckpointEntry, b: CheckpointEntry) -> dict[str, Any]:
    """Where each side gets its bytes, and what to know of the pair."""
    sides = {
        side: {
            **sources_of(choice.side(name)),
            "title": entry.title,
            "elastic": entry.preflight is not None and entry.preflight.elastic,
        }
        for side, name, entry in (("a", choice.a, a), ("b", choice.b, b))
    }
    return {
        "id": hashlib.sha256((sides["a"]["id"] + sides["b"]["id"]).encode()).hexdigest()[:16],
        **sides,
        "text": choice.text,
        "pair": choice.pair,
        "notes": list(pair_notes(a, b)),
    }


def first_pair_data(params: Mapping[str, str]) -> dict[str, Any] | None:
    """What the page will hand to its canvas at an address; None unless both sides are recorded.

    Args:
        params: Of the address, as anybody may have written them.
    """
    entries = checkpoints()
    choice = default_pair(entries).in_address(params, entries)
    for side in (choice.a, choice.b):
        text, pair = text_for(entries.get(side), choice.text, choice.pair)
        choice = replace(choice, text=text, pair=pair)
    a, b = entries.get(choice.a), entries.get(choice.b)
    is_here = all(params.get(side, choice.a) in entries for side in "ab")  # else the page says so above
    if not is_here or choice.part != "text" or a is None or b is None or pair_problem(a, b, choice.text, choice.pair):
        return None
    request = pair_request(choice, a, b)
    if any(request[side]["source"]["body"] is not None for side in "ab"):
        return None
    view = asdict(CompareView.from_mapping({**opening_sizes(choice.a, choice.b), **params}))
    return {**request, "token": page_token(), "view": view, "error": None, "n_entered": 0}
