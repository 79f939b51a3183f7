"""The checkpoints in the repository are whole, small, and as good as their cards say."""

import json
import string

import pytest
from tokenizers import Tokenizer

from compecon.checkpoints.bundle import read_manifest
from compecon.checkpoints.load import load_checkpoint
from compecon.compression.model_shape import ModelShape
from compecon.compression.units import unit_macs
from compecon.evaluation.predict_rows import predict
from compecon.flops import macs
from compecon.paths import assets
from compecon.studies.build_bundle import NAMES
from compecon.studies.family import FAMILY
from compecon.tasks.encode_rows import encode
from compecon.tasks.readers.data_folder import read_mnli, read_sick, read_sst2, read_stsb
from tests.support.bundled_weights import read_weights

ROOT = assets() / "checkpoints"
SHIPPED = [name for name in NAMES if (ROOT / name).is_dir()]
ENCODERS = [name for name in SHIPPED if name != "causal"]
MEASURED = {
    "sentiment": [("test", lambda folder: read_sst2(folder))],
    "similarity": [("test", lambda folder: read_stsb(folder))],
    "entailment": [("test", lambda folder: read_sick(folder)), ("MNLI dev-matched", lambda folder: read_mnli(folder))],
}


FAMILY_SHIPPED = [name for name in SHIPPED if name in FAMILY]


def test_every_checkpoint_is_shipped():
    assert list(NAMES) == SHIPPED


def test_all_assets_together_are_small():
    assert sum(path.stat().st_size for path in assets().rglob("*") if path.is_file()) < 100e6


@pytest.mark.parametrize("name", FAMILY_SHIPPED)
def test_a_member_keeps_the_macs_that_it_says(name):
    checkpoint, training = load_checkpoint(name, "cpu"), read_manifest(ROOT / name)["training"]
    parent = load_checkpoint(training["parent"], "cpu")
    now, dense = (unit_macs(each.model, training["n_tokens"]).total() for each in (checkpoint, parent))
    assert float(now / dense) == pytest.approx(training["share"])
    assert training["target"] is None or training["share"] <= training["target"]
    shape = ModelShape.from_model(checkpoint.model)
    assert macs(shape, training["n_tokens"]).total == training["macs"]


@pytest.mark.parametrize("name", FAMILY_SHIPPED)
def test_a_member_was_made_from_the_parent_that_is_shipped(name):
    training = read_manifest(ROOT / name)["training"]
    assert training["parent_digest"] == load_checkpoint(training["parent"], "cpu").digest


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
    metrics = read_manifest(ROOT / name)["metrics"]
    reported = {metric["split"]: metric["value"] for metric in metrics if " at " not in metric["name"]}
    for split, read in MEASURED[name.partition("-")[0]]:
        task = read(data_dir)
        rows = task.splits["test"]
        logits = predict(checkpoint.model, checkpoint.tokenizer, encode(checkpoint.tokenizer, rows, 128))
        predictions = logits[:, 0] if task.kind == "regression" else logits.argmax(-1)
        assert task.score(predictions.numpy(), rows.targets).value == pytest.approx(reported[split], abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_no_test_text_holds_an_unknown_piece(name, data_dir):
    tokenizer = Tokenizer.from_file(str(ROOT / name / "tokenizer.json"))
    for _, read in MEASURED[name.partition("-")[0]]:
        texts = list(read(data_dir).splits["test"].all_texts)
        assert not any("[UNK]" in encoding.tokens for encoding in tokenizer.encode_batch(texts))
