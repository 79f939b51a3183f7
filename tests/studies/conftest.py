"""A tiny task and a tiny model that can be trained on it in a second."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from compecon.checkpoints.save import save_checkpoint
from compecon.latency.clock import in_turns
from compecon.tasks.task import Split, Task
from compecon.tasks.task_metrics import accuracy


@pytest.fixture(scope="module", autouse=True)
def _few_rounds():
    """Latencies of toy models are measured in two rounds, not in a hundred: nobody reads them."""

    def briefly(sides, *, repeats, warmup, limit_s):
        return in_turns(sides, repeats=min(repeats, 2), warmup=min(warmup, 1), limit_s=limit_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("compecon.latency.ratio.in_turns", briefly)
        yield


@pytest.fixture(scope="session")
def words():
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "good": 2, "bad": 3, **{f"w{i}": i for i in range(4, 12)}}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]")


def _split(n, seed):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, n)
    texts = [
        " ".join([*(f"w{i}" for i in rng.integers(4, 12, rng.integers(2, 5))), ("bad", "good")[t]]) for t in targets
    ]
    return Split(tuple(texts), (), targets)


@pytest.fixture(scope="session")
def opinions():
    """Is the text good or bad? The last word says it."""
    splits = {"train": _split(48, 0), "dev": _split(24, 1), "test": _split(24, 2)}
    return Task("opinions", "classification", ("negative", "positive"), splits, (accuracy,))


@pytest.fixture(scope="session")
def fresh():
    """Seed -> an untrained classifier of two layers of four heads."""

    def make(seed):
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=12,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=32,
            max_position_embeddings=64,
        )
        return BertForSequenceClassification(config).eval()

    return make


@pytest.fixture
def rule(opinions, tmp_path):
    """The task as files: its name."""
    folder = tmp_path / "opinions"
    folder.mkdir()
    for name, part in opinions.splits.items():
        rows = [f"{text},{opinions.labels[target]}" for text, target in zip(part.texts, part.targets, strict=True)]
        (folder / f"{name}.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    return f"files:{folder}"


@pytest.fixture
def parent(fresh, words, tmp_path):
    """Write a classifier; its labels decide whether it knows the task."""

    def write(name="parent", labels=("negative", "positive")):
        model = fresh(0)
        model.config.id2label = dict(enumerate(labels))
        model.config.label2id = {label: i for i, label in enumerate(labels)}
        words.model_input_names = ["input_ids", "attention_mask"]
        return str(save_checkpoint(model, words, tmp_path / name))

    return write
