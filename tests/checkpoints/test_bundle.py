import json

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from compecon.checkpoints.bundle import (
    SHARED,
    WEIGHTS,
    ReportedMetric,
    describe,
    read_manifest,
    save_weights,
)
from compecon.errors import CheckpointError
from tests.support.bundled_weights import read_weights

PREFIX = "bert.embeddings."


@pytest.fixture
def tokenizer():
    core = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "a": 2}, unk_token="[UNK]"))
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]")


def bert(seed=0):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=3, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, num_labels=2
    )
    model = BertForSequenceClassification(config).eval()  # same embeddings whatever the seed
    torch.manual_seed(seed)
    torch.nn.init.normal_(model.classifier.weight)
    return model


def test_what_is_read_back_is_the_model_in_float16(tokenizer, tmp_path):
    save_weights(bert(), tokenizer, tmp_path / "one", PREFIX)
    state = read_weights(tmp_path / "one")
    assert state.keys() == bert().state_dict().keys()
    for name, value in bert().state_dict().items():
        torch.testing.assert_close(state[name], value.half().float(), rtol=0, atol=0)


def test_two_checkpoints_share_one_file_and_each_lacks_what_is_in_it(tokenizer, tmp_path):
    for seed, name in enumerate(("one", "two")):
        save_weights(bert(seed), tokenizer, tmp_path / name, PREFIX)
    shared = load_file(tmp_path / SHARED)
    assert "word_embeddings.weight" in shared
    for name in ("one", "two"):
        assert not [key for key in load_file(tmp_path / name / WEIGHTS) if key.startswith(PREFIX)]
    first, second = read_weights(tmp_path / "one"), read_weights(tmp_path / "two")
    assert torch.equal(first[f"{PREFIX}word_embeddings.weight"], second[f"{PREFIX}word_embeddings.weight"])
    assert not torch.equal(first["classifier.weight"], second["classifier.weight"])


def test_embeddings_that_differ_from_the_shared_ones_are_refused(tokenizer, tmp_path):
    save_weights(bert(), tokenizer, tmp_path / "one", PREFIX)
    other = bert()
    torch.nn.init.ones_(other.bert.embeddings.word_embeddings.weight)
    with pytest.raises(CheckpointError, match="other embeddings"):
        save_weights(other, tokenizer, tmp_path / "two", PREFIX)


def test_equal_weights_are_equal_files(tokenizer, tmp_path):
    for name in ("one", "two"):
        save_weights(bert(), tokenizer, tmp_path / name, PREFIX)
    assert (tmp_path / "one" / WEIGHTS).read_bytes() == (tmp_path / "two" / WEIGHTS).read_bytes()


def test_without_sharing_it_is_a_folder_that_transformers_loads(tokenizer, tmp_path):
    save_weights(bert(), tokenizer, tmp_path / "one")
    model = BertForSequenceClassification.from_pretrained(tmp_path / "one", dtype=torch.float32).eval()
    ids = torch.tensor([[2, 1]])
    torch.testing.assert_close(model(ids).logits, bert()(ids).logits, rtol=1e-2, atol=1e-2)
    assert json.loads((tmp_path / "one" / "config.json").read_text())["architectures"] == [
        "BertForSequenceClassification"
    ]
    assert AutoTokenizer.from_pretrained(tmp_path / "one").encode("a") == [2]


def test_tied_weights_are_stored_once_and_loaded_in_both_places(tokenizer, tmp_path):
    model = GPT2LMHeadModel(GPT2Config(vocab_size=3, n_positions=4, n_embd=8, n_layer=1, n_head=2))
    save_weights(model, tokenizer, tmp_path / "gpt")
    assert "lm_head.weight" not in read_weights(tmp_path / "gpt")
    again = GPT2LMHeadModel.from_pretrained(tmp_path / "gpt", dtype=torch.float32)
    assert again.lm_head.weight is again.transformer.wte.weight


def test_a_length_limit_of_training_is_not_saved_with_the_tokenizer(tokenizer, tmp_path):
    tokenizer(["a a a"], truncation=True, max_length=2, padding="max_length")
    save_weights(bert(), tokenizer, tmp_path / "one")
    saved = json.loads((tmp_path / "one" / "tokenizer.json").read_text())
    assert (saved["truncation"], saved["padding"]) == (None, None)


def test_a_description_keeps_the_hashes(tokenizer, tmp_path):
    save_weights(bert(), tokenizer, tmp_path / "one", PREFIX)
    metric = ReportedMetric("accuracy", "test", 0.8, 0.7, 0.9, 10)
    describe(tmp_path / "one", title="One", task="sentiment", metrics=[metric], card="# One\n")
    manifest = read_manifest(tmp_path / "one")
    assert list(manifest) == ["schema", "title", "task", "metrics", "sha256", "shared"]
    assert manifest["metrics"] == [
        {"name": "accuracy", "split": "test", "value": 0.8, "low": 0.7, "high": 0.9, "n": 10}
    ]
    assert read_weights(tmp_path / "one").keys() == bert().state_dict().keys()


def test_a_folder_without_manifest_or_of_another_schema_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"no compecon\.json"):
        read_manifest(tmp_path)
    (tmp_path / "compecon.json").write_text('{"schema": 99}')
    with pytest.raises(CheckpointError, match="schema 99"):
        read_manifest(tmp_path)
