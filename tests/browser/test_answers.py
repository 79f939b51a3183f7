"""What the model answers, when it has more to say than fits: against brute force, and on a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from compecon.attention.budget import KeyBudget
from compecon.attention.key_budget_sweep import sweep
from compecon.checkpoints.load import load_checkpoint

TEXT = "the film was great , but the end was unwatchable ."
BOXES = """async ([open, full, shown]) => {
  const { answerBoxes } = await import('/compecon/shared/answers.js');
  return answerBoxes(open, full, shown);
}"""
Ask = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], list[Any]]


@pytest.fixture
def boxes(browser: Any, server: str) -> Any:
    page = browser.new_page()
    page.goto(f"{server}/compecon/health")
    yield lambda *told: page.evaluate(BOXES, list(told))
    page.close()


def first(values: list[float], n: int) -> set[int]:
    return set(sorted(range(len(values)), key=lambda i: (-values[i], i))[:n])


@pytest.mark.parametrize("n", [2, 8, 9, 24, 1000])
def test_the_first_choices_are_always_shown_and_the_rest_is_counted(boxes: Ask, n: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        full, now = (np.round(rng.dirichlet(np.full(n, 0.3)), rng.choice([1, 6])).tolist() for _ in range(2))
        told = boxes(
            {"output": "classification", "labels": [f"c{i}" for i in range(n)]},
            {"probabilities": full}, {"probabilities": now},
        )  # fmt: skip
        named = {int(name[1:]): rest for name, *rest in told if re.fullmatch(r"c\d+", name)}
        assert set(named) == (set(range(n)) if n <= 8 else first(full, 4) | first(now, 4))
        assert all(rest[1:3] == [now[i], full[i]] for i, rest in named.items())
        assert [i for i, rest in named.items() if rest[3]] == list(first(now, 1))
        others = n - len(named)
        assert [name for name, *_ in told[len(named) :]] == (
            [f"{others} more class{'es' * (others > 1)}"] * (others > 0)
        )
        assert sum(box[2] for box in told) == pytest.approx(sum(now))
        assert sum(box[3] for box in told) == pytest.approx(sum(full))


def test_the_word_that_was_first_is_shown_when_it_has_fallen_out_of_the_list(boxes: Ask) -> None:
    full, now = ({"top": [[f"{side}{i}", 0.5 - i / 10] for i in range(5)]} for side in "ab")
    told = boxes({"output": "causal-lm"}, full, now)
    assert [name for name, *_ in told] == ["b0", "b1", "b2", "b3", "b4", "a0"]
    assert told[-1][1:] == ["< 0.100", 0, 0.5, False]


def test_of_many_scores_those_that_move_most_are_shown(boxes: Ask) -> None:
    rng = np.random.default_rng(0)
    full, now = (rng.uniform(-3, 7, 12).tolist() for _ in range(2))
    told = boxes(
        {"output": "regression", "labels": [f"s{i}" for i in range(12)]},
        {"score": full[0], "scores": full}, {"score": now[0], "scores": now},
    )  # fmt: skip
    moved = first([abs(a - b) for a, b in zip(full, now, strict=True)], 8)
    assert {int(name[1:]) for name, *_ in told[:-1]} == moved
    assert told[-1][0] == "4 more scores"
    assert all(0 <= share <= 1 for _, _, share, *_ in told)


def test_a_page_names_the_class_that_a_decision_flips_to(dashboard: Any, own_checkpoints: Path) -> None:
    folder = own_checkpoints / "many classes"
    checkpoint = load_checkpoint(str(folder), device="cpu")
    text = checkpoint.encode(TEXT)
    budgets = [None, *(KeyBudget(keys=k) for k in range(1, len(text.tokens)))]
    full, *others = (point.output.logits.softmax(-1)[0] for point in sweep(checkpoint.model, text.batch, budgets))
    was = checkpoint.labels[int(full.argmax())]
    flips = {k: now for k, now in enumerate(others, 1) if int(now.argmax()) != int(full.argmax())}
    assert flips, "this random model flips somewhere"
    k, now = next(iter(flips.items()))
    is_now = checkpoint.labels[int(now.argmax())]
    dashboard.open(checkpoint=str(folder), text=TEXT, k=str(k))
    dashboard.await_badge("exact")
    expect(dashboard.find(".verdict")).to_contain_text(f"from “{was}” to “{is_now}”")
    shown = dashboard.find(".answer .name span:first-child").all_inner_texts()
    assert {was, is_now} <= set(shown)
    assert dashboard.find(".answer.best .name span:first-child").all_inner_texts() == [is_now]
    assert re.fullmatch(r"\d+ more classes", shown[-1])
    assert sum(dashboard.answers().values()) == pytest.approx(1, abs=0.01)
    assert len(shown) - 1 + int(shown[-1].split()[0]) == 24
