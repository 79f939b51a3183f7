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
from compecon.studies.family_members import FAMILY
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
    assert sum(path.stat().st_size for path in assets().rglob("*") if path.is_file()) < 90e6


def test_members_keep_the_macs_that_they_say_of_the_parents_that_are_shipped():
    found, expected = {}, {}
    for name in FAMILY_SHIPPED:
        checkpoint, training = load_checkpoint(name, "cpu"), read_manifest(ROOT / name)["training"]
        parent, n = load_checkpoint(training["parent"], "cpu"), training["n_tokens"]
        count = macs(ModelShape.from_model(checkpoint.model), n)
        share = (count.total - count.head) / unit_macs(parent.model, n).dense
        met = training["target"] is None or training["share"] <= training["target"]
        found[name] = (share, count.total, parent.digest, met)
        expected[name] = (pytest.approx(training["share"]), training["macs"], training["parent_digest"], True)
    assert found == expected


def test_files_are_those_their_manifests_name_and_their_numbers_are_finite():
    weights = {name: read_weights(ROOT / name).values() for name in SHIPPED}
    assert [name for name in SHIPPED if not all(value.isfinite().all() for value in weights[name])] == []


def test_no_printable_ascii_is_unknown_to_the_one_vocabulary_of_the_encoders():
    text = " ".join(
        [string.printable, "antidisestablishmentarianism", "x" * 300, "naïve café — “quoted” … €5 №7 ½ π ж"]
    )
    files = {name: ROOT / name / "tokenizer.json" for name in ENCODERS}
    assert [n for n in ENCODERS if "[UNK]" in Tokenizer.from_file(str(files[n])).encode(text).tokens] == []
    vocabularies = {name: json.loads(file.read_text())["model"]["vocab"] for name, file in files.items()}
    assert [name for name in ENCODERS if vocabularies[name] != vocabularies[ENCODERS[0]]] == []


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
