"""The checkpoints in the repository are whole, small, and as good as their cards say."""

import json
import string

import pytest
from tokenizers import Tokenizer

from compecon.checkpoints.bundle import read_manifest, read_weights
from compecon.checkpoints.load import load_checkpoint
from compecon.finetune import predict
from compecon.paths import assets
from compecon.recipes import NAMES
from compecon.tasks.encode import encode
from compecon.tasks.files import read_mnli, read_sick, read_sst2, read_stsb

ROOT = assets() / "checkpoints"
SHIPPED = [name for name in NAMES if (ROOT / name).is_dir()]
ENCODERS = [name for name in SHIPPED if name != "causal"]
MEASURED = {
    "sentiment": [("test", lambda folder: read_sst2(folder))],
    "similarity": [("test", lambda folder: read_stsb(folder))],
    "entailment": [("test", lambda folder: read_sick(folder)), ("MNLI dev-matched", lambda folder: read_mnli(folder))],
}


def test_some_checkpoints_are_shipped():
    assert "sentiment" in SHIPPED


def test_all_of_them_are_small():
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) < 45e6


@pytest.mark.parametrize("name", SHIPPED)
def test_files_are_those_their_manifest_names(name):
    assert all(value.isfinite().all() for value in read_weights(ROOT / name).values())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_says_the_numbers_of_the_manifest(name):
    card, manifest = (ROOT / name / "README.md").read_text(), read_manifest(ROOT / name)
    for metric in manifest["metrics"]:
        assert f"| {metric['name']} | {metric['split']} | {metric['value']:.4g} [" in card


@pytest.mark.parametrize("name", ENCODERS)
def test_no_printable_ascii_is_unknown(name):
    tokenizer = Tokenizer.from_file(str(ROOT / name / "tokenizer.json"))
    text = " ".join(
        [string.printable, "antidisestablishmentarianism", "x" * 300, "naïve café — “quoted” … €5 №7 ½ π ж"]
    )
    assert "[UNK]" not in tokenizer.encode(text).tokens


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_share_one_vocabulary(name):
    vocabularies = [
        json.loads((ROOT / n / "tokenizer.json").read_text())["model"]["vocab"] for n in (name, ENCODERS[0])
    ]
    assert vocabularies[0] == vocabularies[1]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ENCODERS)
def test_measuring_again_gives_the_numbers_on_the_card(name, data_dir):
    checkpoint = load_checkpoint(name, device="cpu")
    reported = {metric["split"]: metric["value"] for metric in read_manifest(ROOT / name)["metrics"]}
    for split, read in MEASURED[name]:
        task = read(data_dir)
        rows = task.splits["test"]
        logits = predict(checkpoint.model, checkpoint.tokenizer, encode(checkpoint.tokenizer, rows, 128))
        predictions = logits[:, 0] if task.kind == "regression" else logits.argmax(-1)
        assert task.score(predictions.numpy(), rows.targets).value == pytest.approx(reported[split], abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_no_test_text_holds_an_unknown_piece(name, data_dir):
    tokenizer = Tokenizer.from_file(str(ROOT / name / "tokenizer.json"))
    for _, read in MEASURED[name]:
        texts = list(read(data_dir).splits["test"].all_texts)
        assert not any("[UNK]" in encoding.tokens for encoding in tokenizer.encode_batch(texts))
