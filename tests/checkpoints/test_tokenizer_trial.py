"""Tokenizers that hang or explode, tried for real in a child process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compecon.checkpoints import tokenizer, tokenizer_trial
from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.locate import Location
from compecon.errors import CheckpointError

pytestmark = pytest.mark.slow
Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def _nothing_tried_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "_tried", set())


def spoil(folder: Path, **parts: Any) -> Path:
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | parts))
    return folder


def replacing(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def splitting(regex: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}


def test_an_honest_tokenizer_passes_and_is_tried_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make("gpt2")
    assert load_checkpoint(folder).encode("the film").tokens == ("the", "film")
    monkeypatch.setattr(tokenizer, "try_tokenizer", lambda _folder: pytest.fail("tried twice"))
    load_checkpoint(folder)


@pytest.mark.parametrize(
    ("part", "program"),
    [
        ("pre_tokenizer", splitting(r"(a+)+$")),
        ("pre_tokenizer", splitting(r"(?:(?:Q|Q)+)+!$")),
        (
            "normalizer",
            {"type": "Sequence", "normalizers": [replacing({"String": "ʘ"}, "ʘ" * 100) for _ in range(5)]},
        ),
        ("normalizer", replacing({"Regex": ""}, "boo" * 100_000)),
    ],
    ids=["nested", "alternatives", "expansion of a rare character", "empty pattern"],
)
def test_a_tokenizer_that_explodes_is_refused(make: Make, part: str, program: dict[str, Any]) -> None:
    folder = spoil(make("gpt2"), **{part: program})
    with pytest.raises(CheckpointError, match="failed its trial"):
        load_checkpoint(folder)


def test_a_tokenizer_that_hangs_is_stopped(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer_trial, "_SECONDS", 0.05)  # an interpreter takes longer to start
    with pytest.raises(CheckpointError, match="failed its trial"):
        load_checkpoint(make("gpt2"))


@pytest.mark.parametrize("content", ["", '{"model": {"type": "Nonsense"}}'])
def test_a_damaged_tokenizer_is_a_sentence(make: Make, content: str) -> None:
    folder = make("gpt2")
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointError, match="tokenizer") as refusal:
        load_checkpoint(folder)
    assert "\n" not in str(refusal.value)


def test_the_child_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    assert "secret" not in tokenizer_trial._environment().values()


def test_a_bundled_tokenizer_is_not_tried(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make("gpt2")
    monkeypatch.setattr(tokenizer, "try_tokenizer", lambda _folder: pytest.fail("tried"))
    monkeypatch.setattr(
        "compecon.checkpoints.load.locate", lambda source: Location(Path(source), "bundled", folder.parent)
    )
    assert load_checkpoint(folder).kind == "causal-lm"
