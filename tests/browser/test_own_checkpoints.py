"""Checkpoints that a person brings along: every kind has its own answer, and a refusal is a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

TEXT = "the film was great , but the end was unwatchable ."
MASKED = "the film was [MASK] but long ."


@pytest.mark.parametrize(
    ("kind", "text", "n_answers", "last"),
    [
        ("regression", TEXT, 1, "LABEL_0"),
        ("causal-lm", TEXT, 6, "perplexity of the text"),
        ("masked-lm", MASKED, 5, ""),
        ("encoder", TEXT, 1, "cosine to full budget"),
    ],
)
def test_every_kind_of_model_answers_in_its_own_words(
    dashboard: Any, own_checkpoints: Path, kind: str, text: str, n_answers: int, last: str
) -> None:
    dashboard.open(checkpoint=str(own_checkpoints / kind), text=text, k="2", head="1")
    dashboard.await_badge("exact")
    names = [box.locator("span").first.inner_text() for box in dashboard.find(".answer .name").all()]
    assert len(names) == n_answers
    assert names[-1] == last or not last
    assert dashboard.find(".verdict").inner_text()
    assert all(dashboard.colours(figure) > 8 for figure in ("heatmap", "lorenz", "atlas", "scarcity"))
    rows = json.loads(dashboard.export("heatmap", "json"))["rows"]  # the future is no weight of zero: it is no weight
    is_causal = kind == "causal-lm"
    assert all((row["weight"] is None) == (is_causal and row["key"] > row["query"]) for row in rows)
    dashboard.bar.press("End")
    expect(dashboard.find(".verdict")).to_contain_text("Every token may be read")
    assert dashboard.errors == []


def test_a_model_that_cannot_be_shown_says_why_in_place_of_a_picture(dashboard: Any, own_checkpoints: Path) -> None:
    dashboard.page.goto(f"{dashboard.server}/?checkpoint={own_checkpoints / 'two stacks'}&text=film")
    expect(dashboard.find(".alert")).to_contain_text("models of one stack")
    expect(dashboard.find(".badge")).not_to_contain_text("loading")
