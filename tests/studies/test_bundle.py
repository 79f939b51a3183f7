"""The whole bundle, from a folder of files to checkpoints that load, with a random encoder of two layers."""

import json
import shutil
import string
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertForSequenceClassification, BertModel

from compecon.checkpoints.bundle import read_manifest
from compecon.checkpoints.load import load_of_bundle
from compecon.flops import forward_macs
from compecon.studies.build_bundle import NAMES, BundlePlan, build_bundle
from compecon.studies.bundled_models import CausalPlan, EncoderPlan
from compecon.studies.family import time_family
from compecon.studies.family_members import FAMILY, FamilyPlan
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.training_settings import FineTuneSettings
from tests.support.bundled_weights import read_weights

pytestmark = pytest.mark.slow

WORDS = ["good", "bad", "film", "money", "cat", "sat", "##ting", "unseen"]
BRIEF = FineTuneSettings(epochs=1, batch_size=4, precision="float32")
ARTICLE = " = Title = \n \n The cat sat . The money sat on the film . \n"


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrained")
    letters = [c for c in string.printable if not c.isspace() and not c.isupper()]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), *WORDS]
    BertWordPieceTokenizer({piece: i for i, piece in enumerate(pieces)}).save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    config.save_pretrained(folder)
    torch.manual_seed(0)
    save_file(BertModel(config).state_dict(), folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    files = {f"sst2/{s}.tsv": "a good film\t1\na bad film\t0\n" * 4 for s in ("train", "dev", "test")}
    rows = "".join(f"g\tf\ty\t{i}\t{i / 4}\t{'good ' * (i % 9)}cat\t{'sat ' * (i % 7)}money\n" for i in range(20))
    files |= {f"stsb/sts-{s}.csv": rows for s in ("train", "dev", "test")}
    labels = ("entailment", "neutral", "contradiction")
    pairs = "".join(json.dumps({"premise": "a cat", "hypothesis": f"it {x}", "label": x}) + "\n" for x in labels * 10)
    files |= {"mnli/train.jsonl": pairs, "mnli/dev_matched.jsonl": pairs}
    header = "pair_ID\tA\tB\trelatedness\tentailment\n"
    scenes = header + "".join(f"{i}\ta cat sat\tit sat\t3.0\t{x.upper()}\n" for i, x in enumerate(labels * 5))
    files |= {f"sick/SICK_{s}.txt": scenes for s in ("train", "trial", "test_annotated")}
    files |= {"wikitext2/valid.txt": ARTICLE * 40, "wikitext2_raw/wiki.test.raw": ARTICLE * 3}
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def plan(pretrained):
    return BundlePlan(
        encoders={
            "sentiment": EncoderPlan(student=BRIEF, teacher=BRIEF, layers=2),
            "entailment": EncoderPlan(student=BRIEF, layers=1, rehearsal=BRIEF),
            "similarity": EncoderPlan(student=BRIEF, layers=2, rehearsal=BRIEF),
        },
        family=FamilyPlan(
            after=BRIEF,
            elastic=replace(BRIEF, steps=8, epochs=1, key_budgets=(1, 2)),
            sizes=ElasticSettings((1.0, 0.5)),
        ),
        causal=CausalPlan(BRIEF, pieces=270, width=32, layers=1, positions=16),
        pieces=145,
        pretrained=pretrained,
    )


@pytest.fixture(scope="module")
def bundle(data, plan, tmp_path_factory):
    out, said = tmp_path_factory.mktemp("bundle"), []
    folders = build_bundle(out, data, plan=plan, report=said.append)
    assert [folder.name for folder in folders] == list(NAMES)
    return out, said


def test_each_folder_holds_a_checkpoint_with_its_number_and_card(bundle):
    for name in NAMES:
        folder, manifest = bundle[0] / name, read_manifest(bundle[0] / name)
        for metric in manifest["metrics"]:
            assert metric["split"] in {"test", "MNLI dev-matched"}, name
            assert metric["value"] != metric["value"] or metric["low"] <= metric["value"] <= metric["high"], name
        card = (folder / "README.md").read_text()
        assert manifest["title"] in card, name
        assert manifest["sha256"]["model.safetensors"] in card, name
        assert (folder / "tokenizer.json").is_file(), name


def test_members_of_the_family_tell_how_they_came_about_and_read_their_parents_embeddings(bundle):
    words = "bert.embeddings.word_embeddings.weight"
    for name in FAMILY:
        training, parent = read_manifest(bundle[0] / name)["training"], name.partition("-")[0]
        assert training["parent"] == parent
        assert training["target"] is None or training["share"] <= training["target"], name
        assert training["macs"] <= training["dense_macs"], name
        assert training["latency"]["low"] <= training["latency"]["ratio"] <= training["latency"]["high"], name
        own, parents = (read_weights(bundle[0] / folder)[words] for folder in (name, parent))
        assert torch.equal(own, parents), name


def test_a_member_of_the_family_loads_with_the_tensors_it_shares(bundle):
    model = load_of_bundle(bundle[0] / "sentiment-elastic").model
    stored = read_weights(bundle[0] / "sentiment-elastic")
    assert all(torch.equal(value, stored[name]) for name, value in model.state_dict().items())


def test_timing_again_changes_the_time_alone(bundle, tmp_path):
    shutil.copytree(bundle[0], tmp_path / "bundle")
    name = "sentiment-elastic"
    (folder,) = time_family(tmp_path / "bundle", only=[name])
    before, after = read_manifest(bundle[0] / name), read_manifest(folder)
    for manifest in (before, after):
        training = manifest["training"]
        assert all(timed.pop("latency")["ratio"] > 0 for timed in (training, *training["sizes"]))
    assert after == before


def test_an_elastic_member_serves_and_tells_of_every_size(bundle):
    checkpoint = load_of_bundle(bundle[0] / "sentiment-elastic")
    training = read_manifest(bundle[0] / "sentiment-elastic")["training"]
    assert [size["budget"] for size in training["sizes"]] == [1.0, 0.5]
    for size in training["sizes"]:
        assert forward_macs(checkpoint.at(size["budget"]).model, training["n_tokens"]) == size["macs"]
        assert size["latency"]["ratio"] > 0
    assert "at 0.5" not in (bundle[0] / "sentiment-45-taylor" / "README.md").read_text()
    assert "| 0.5 | " in (bundle[0] / "sentiment-elastic" / "README.md").read_text()


def test_all_encoders_read_the_same_embeddings(bundle):
    states = [read_weights(bundle[0] / name) for name in ("sentiment", "similarity", "entailment")]
    words = [state["bert.embeddings.word_embeddings.weight"] for state in states]
    assert torch.equal(words[0], words[1])
    assert torch.equal(words[0], words[2])


def test_the_saved_weights_fill_the_saved_config(bundle):
    folder = bundle[0] / "entailment"
    model = BertForSequenceClassification(BertConfig.from_pretrained(folder))
    model.load_state_dict(read_weights(folder))
    assert model.config.id2label == {0: "entailment", 1: "neutral", 2: "contradiction"}


def test_progress_names_the_teacher_and_the_result(bundle):
    said = "\n".join(bundle[1])
    assert "teacher" in said
    assert "sentiment: test accuracy" in said
    assert "causal: test perplexity by word" in said


def test_one_checkpoint_built_again_is_the_same_to_the_byte(bundle, data, plan, tmp_path):
    build_bundle(tmp_path, data, only=["sentiment"], plan=plan)
    again, before = (read_manifest(folder / "sentiment") for folder in (tmp_path, bundle[0]))
    assert again == before


def test_an_unknown_name_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ValueError, match=r"sentimental\..* There are: sentiment"):
        build_bundle(tmp_path, tmp_path / "nowhere", only=["sentimental"])
