from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from compecon.checkpoints.gate.intake import inspect_checkpoint
from compecon.checkpoints.load import load_checkpoint

Make = Callable[..., Path]


@pytest.mark.usefixtures("untried")
@pytest.mark.parametrize("what", ["encoder", "classifier", "masked-lm", "roberta", "gpt2", "llama"])
def test_what_is_read_beforehand_is_what_the_loaded_model_has(make: Make, what: str) -> None:
    before, model = inspect_checkpoint(make(what)), load_checkpoint(make(what)).model
    assert before.architecture == type(model).__name__
    assert before.layers == model.config.num_hidden_layers
    assert before.heads == model.config.num_attention_heads
    assert before.hidden_size == model.config.hidden_size
    assert before.vocabulary == model.get_input_embeddings().num_embeddings
    assert before.parameters == model.num_parameters()
    assert before.disk_bytes == 4 * before.parameters
    assert before.memory_bytes >= before.disk_bytes
    assert before.max_positions == 64
    assert before.routed


def test_a_preflight_is_plain_data(make: Make) -> None:
    found = inspect_checkpoint(make("classifier", num_labels=3))
    read_back = json.loads(json.dumps(asdict(found)))
    assert read_back["labels"] == ["LABEL_0", "LABEL_1", "LABEL_2"]
    assert read_back["dtype"] == "F32"


@pytest.mark.parametrize(
    ("what", "ability"),
    [
        ("classifier", "class probabilities by budget"),
        ("gpt2", "next-token probabilities by budget"),
        ("masked-lm", "guesses for a masked word by budget"),
        ("encoder", "sentence vectors by budget"),
    ],
)
def test_abilities_follow_the_kind(make: Make, what: str, ability: str) -> None:
    found = inspect_checkpoint(make(what))
    assert "attention under a budget" in found.abilities
    assert ability in found.abilities
    assert any("64 tokens" in limit for limit in found.limits)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlanguage: en\nlicense: apache-2.0\n---\n# Model", "apache-2.0"),
        ('---\nlicense: "mit"\n---\n', "mit"),
        ("---\nlicense:\n- mit\n---\n", None),
        ("# Model\nlicense: mit\n", None),
        ("---\nlanguage: en\n---\nlicense: mit\n", None),
        ("---\nlicense: !!python/object:os.system\n---\n", None),
        ("", None),
    ],
)
def test_the_licence_is_what_the_header_of_the_card_states(make: Make, card: str, licence: str | None) -> None:
    folder = make()
    (folder / "README.md").write_text(card)
    assert inspect_checkpoint(folder).licence == licence


def test_a_card_that_cannot_be_read_states_no_licence(make: Make) -> None:
    folder = make()
    (folder / "README.md").mkdir()
    assert inspect_checkpoint(folder).licence is None


def test_a_config_without_labels_has_transformers_default_of_two(make: Make, edit_config: Callable[..., None]) -> None:
    folder = make("classifier")
    edit_config(folder, id2label=None, label2id=None)
    assert inspect_checkpoint(folder).labels == ("LABEL_0", "LABEL_1")


def test_an_architecture_without_a_position_table_states_no_length(
    make: Make, edit_config: Callable[..., None]
) -> None:
    folder = make()
    edit_config(folder, max_position_embeddings=None)
    found = inspect_checkpoint(folder)
    assert found.max_positions is None
    assert not any("tokens" in limit for limit in found.limits)
