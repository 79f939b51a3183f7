from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    Gemma2Config,
    Gemma2ForCausalLM,
)

from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CheckpointError, UnsupportedModelError, UnwantedError

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]
TEXT = "the film was great"
GEMMA = {
    "vocab_size": 300, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
    "num_key_value_heads": 1, "head_dim": 4, "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "kind", "plain_class"),
    [
        ("encoder", "encoder", AutoModel),
        ("classifier", "classification", AutoModelForSequenceClassification),
        ("masked-lm", "masked-lm", AutoModelForMaskedLM),
        ("roberta", "masked-lm", AutoModelForMaskedLM),
        ("gpt2", "causal-lm", AutoModelForCausalLM),
        ("llama", "causal-lm", AutoModelForCausalLM),
    ],
)
def test_a_loaded_checkpoint_computes_what_plain_transformers_computes(make: Make, what, kind, plain_class) -> None:
    folder = make(what)
    checkpoint = load_checkpoint(folder)
    batch = checkpoint.encode(TEXT).batch
    with torch.no_grad():
        ours, theirs = checkpoint.model(**batch)[0], plain_class.from_pretrained(folder)(**batch)[0]
    assert checkpoint.kind == kind
    assert not checkpoint.model.training
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_a_load_ends_before_the_next_tensor_once_nobody_wants_it(make: Make) -> None:
    folder, asked = make("classifier"), list[int]()
    load_checkpoint(folder, wanted=lambda: not asked.append(1))
    n_asked = len(asked)
    assert n_asked > len(list(load_checkpoint(folder).model.parameters()))
    for allowed in (0, 3, n_asked - 1):
        answers = iter([True] * allowed + [False])
        with pytest.raises(UnwantedError):
            load_checkpoint(folder, wanted=lambda answers=answers: next(answers))


def test_a_single_label_makes_a_regression(make: Make) -> None:
    checkpoint = load_checkpoint(make("classifier", num_labels=1))
    assert (checkpoint.kind, len(checkpoint.labels)) == ("regression", 1)


def test_the_problem_type_makes_a_regression_of_several_scores(make: Make) -> None:
    assert load_checkpoint(make("classifier", num_labels=2, problem_type="regression")).kind == "regression"


def test_labels_come_in_the_order_of_the_logits(make: Make) -> None:
    names = {i: f"class {i}" for i in range(12)}  # as JSON keys, "10" sorts before "2"
    checkpoint = load_checkpoint(make("classifier", id2label=names, label2id={v: k for k, v in names.items()}))
    assert checkpoint.labels == tuple(names.values())


def test_half_precision_weights_become_float32(make: Make) -> None:
    folder = make("encoder")
    stored = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(stored, folder / "model.safetensors")
    model = load_checkpoint(folder).model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    torch.testing.assert_close(model.state_dict()["pooler.dense.weight"], stored["pooler.dense.weight"].float())


def test_sharded_weights_load_like_whole_ones(make: Make, tmp_path: Path) -> None:
    whole = load_checkpoint(make("gpt2"))
    whole.model.save_pretrained(tmp_path / "sharded", max_shard_size="4KB")
    whole.tokenizer.save_pretrained(tmp_path / "sharded")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 2
    sharded = load_checkpoint(tmp_path / "sharded").model.state_dict()
    assert all(torch.equal(value, sharded[name]) for name, value in whole.model.state_dict().items())


def test_two_loaded_models_share_nothing(make: Make) -> None:
    folder = make("classifier")
    one, other = load_checkpoint(folder).model, load_checkpoint(folder).model
    assert one.config is not other.config
    next(one.parameters()).data.zero_()
    assert next(other.parameters()).abs().sum() > 0


def test_the_digest_follows_the_content_and_not_the_place(make: Make) -> None:
    torch.manual_seed(1)
    first = load_checkpoint(make("encoder", "a"))
    torch.manual_seed(1)
    again = load_checkpoint(make("encoder", "b"))
    torch.manual_seed(2)
    other = load_checkpoint(make("encoder", "c"))
    assert first.digest == again.digest != other.digest


def test_a_masked_language_model_without_its_head_becomes_a_bare_encoder_that_says_so(make: Make) -> None:
    folder = make("masked-lm")
    body = {k: v for k, v in load_file(folder / "model.safetensors").items() if k.startswith("bert.")}
    save_file(body, folder / "model.safetensors")
    checkpoint = load_checkpoint(folder)
    assert (checkpoint.kind, checkpoint.preflight.kind) == ("encoder", "encoder")
    assert any("no trained head" in limit for limit in checkpoint.preflight.limits)
    assert checkpoint.model(**checkpoint.encode(TEXT).batch).last_hidden_state.isfinite().all()


@pytest.mark.parametrize(
    ("lost", "added"),
    [("cls.predictions.bias", ()), ("cls.", ("bert.encoder.layer.2.output.dense.bias",)), ("bert.encoder.layer.1", ())],
)
def test_a_masked_language_model_that_lost_anything_else_is_refused(make: Make, lost: str, added: tuple[str]) -> None:
    folder = make("masked-lm")
    kept = {k: v for k, v in load_file(folder / "model.safetensors").items() if not k.startswith(lost)}
    save_file(kept | {name: torch.zeros(8) for name in added}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="missing"):
        load_checkpoint(folder)


def test_a_bare_encoder_without_a_pooler_has_none_rather_than_a_random_one(make: Make) -> None:
    folder = make("encoder")
    kept = {k: v for k, v in load_file(folder / "model.safetensors").items() if "pooler" not in k}
    save_file(kept, folder / "model.safetensors")
    checkpoint = load_checkpoint(folder)
    assert checkpoint.model(**checkpoint.encode(TEXT).batch).pooler_output is None


def test_a_classifier_without_a_pooler_is_refused(make: Make) -> None:
    folder = make("classifier")
    kept = {k: v for k, v in load_file(folder / "model.safetensors").items() if "pooler" not in k}
    save_file(kept, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="2 weights are missing"):
        load_checkpoint(folder)


def test_pretraining_left_overs_are_no_reason_to_refuse(make: Make) -> None:
    folder = make("masked-lm")
    extra = {"bert.pooler.dense.weight": torch.ones(8, 8), "cls.seq_relationship.bias": torch.ones(2)}
    save_file(load_file(folder / "model.safetensors") | extra, folder / "model.safetensors")
    assert load_checkpoint(folder).kind == "masked-lm"


def test_gpt2_as_the_hub_stores_it_loads(make: Make) -> None:
    folder = make("gpt2")
    tensors = {k.removeprefix("transformer."): v for k, v in load_file(folder / "model.safetensors").items()}
    masks = {f"h.{layer}.attn.bias": torch.ones(1, 1, 64, 64) for layer in range(2)}
    before = load_checkpoint(folder).model.state_dict()
    save_file(tensors | masks, folder / "model.safetensors")
    checkpoint = load_checkpoint(folder)
    assert all(torch.equal(value, before[name]) for name, value in checkpoint.model.state_dict().items())
    assert checkpoint.preflight.parameters == checkpoint.model.num_parameters()


def test_a_model_without_an_sdpa_version_loads_too(make: Make, tmp_path: Path) -> None:
    source = load_checkpoint(make("gpt2"))
    config = Gemma2Config(**GEMMA)
    Gemma2ForCausalLM(config).save_pretrained(tmp_path / "gemma")
    source.tokenizer.save_pretrained(tmp_path / "gemma")
    checkpoint = load_checkpoint(tmp_path / "gemma")
    assert checkpoint.model(**checkpoint.encode(TEXT).batch).logits.isfinite().all()


def test_loading_in_threads_gives_what_loading_one_by_one_gives(make: Make) -> None:
    folders = [make("classifier", "a"), make("gpt2", "b"), make("masked-lm", "c")] * 3
    expected = [load_checkpoint(folder).model.state_dict() for folder in folders]
    with ThreadPoolExecutor(len(folders)) as pool:
        loaded = [checkpoint.model.state_dict() for checkpoint in pool.map(load_checkpoint, folders)]
    for ours, theirs in zip(loaded, expected, strict=True):
        assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


@pytest.mark.parametrize("device", ["cuda:99", "mps:7", "toaster", "xpu"])
def test_an_absent_device_is_a_sentence(make: Make, device: str) -> None:
    with pytest.raises(CheckpointError, match=device):
        load_checkpoint(make(), device)


def test_a_model_outside_the_attention_interface_is_refused(make: Make, edit_config: Callable[..., None]) -> None:
    folder = make()
    edit_config(folder, model_type="mpnet", architectures=["MPNetModel"])
    with pytest.raises(UnsupportedModelError, match="MPNetModel"):
        load_checkpoint(folder)
