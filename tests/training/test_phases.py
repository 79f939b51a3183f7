"""Phases whose end is kept, and a training by incentive on windows of text."""

from dataclasses import dataclass

import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import BertForTokenClassification, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from compecon.callbacks import StepCallbacks
from compecon.compression.units import share_of_macs, unit_macs
from compecon.errors import CheckpointError, TrainingInterruptedError, UnsupportedModelError
from compecon.incentives.gates import Gates, gated
from compecon.incentives.price import DualAscent
from compecon.tasks.encode_rows import Windows, mean_length
from compecon.tasks.objectives import classification_loss, next_token_loss
from compecon.training.incentive import batch_loss, calibration, train_incentive
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.phases import Phase
from compecon.training.training_settings import FineTuneResult, FineTuneSettings

LENGTH = 8


@pytest.fixture
def model():
    still = {"embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0}
    sizes = {"vocab_size": 20, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 24, "n_positions": 16}
    return GPT2LMHeadModel(GPT2Config(**sizes, **still, bos_token_id=0, eos_token_id=0)).eval()


@pytest.fixture
def tokenizer():
    core = Tokenizer(models.WordLevel({"end": 0}, unk_token="end"))
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="end")


@pytest.fixture
def rows():
    stream = torch.randint(1, 20, (83,), generator=torch.Generator().manual_seed(0)).numpy()
    return Windows(stream, LENGTH)


def test_windows_are_calibrated_on_with_the_tokens_as_targets(model, tokenizer, rows):
    [batch] = calibration(tokenizer, rows)
    assert batch["input_ids"].tolist() == batch["labels"].tolist() == [row["input_ids"] for row in rows]
    assert mean_length(rows) == LENGTH
    loss = batch_loss(next_token_loss)(model, batch)
    likelihood = model(batch["input_ids"]).logits.log_softmax(-1)
    by_hand = [
        -likelihood[row, at - 1, batch["input_ids"][row, at]] for row in range(len(rows)) for at in range(1, LENGTH)
    ]
    torch.testing.assert_close(loss, torch.stack(by_hand).mean())
    assert tokenizer.pad_token is None


@pytest.mark.parametrize("start", ["taylor", "fisher", "open"])
def test_a_language_model_comes_down_to_its_target(model, tokenizer, rows, start):
    dense = unit_macs(model, LENGTH)
    settings = FineTuneSettings(steps=6, batch_size=4, precision="float32", device="cpu", hidden_weight=0.1)
    incentive = IncentiveSettings(target=0.5, start=start)
    teacher = GPT2LMHeadModel(model.config).eval()
    found = train_incentive(model, tokenizer, rows, next_token_loss, incentive, settings, teacher=teacher)
    assert found.share == share_of_macs(found.values, dense) <= 0.5
    assert found.model.config.model_type == "compact-gpt2"
    assert found.priced.steps + found.recovery.steps == 6


@pytest.mark.parametrize("left_after", [1, 2, 4, 5])
def test_steps_are_counted_one_way_over_all_phases(model, tokenizer, rows, tmp_path, left_after):
    told, saved = [], []
    watch = StepCallbacks(
        report=told.append, saved=saved.append, stop=lambda: len(told) >= left_after, folder=tmp_path / "training"
    )
    settings = FineTuneSettings(steps=6, batch_size=4, save_every=1, device="cpu")
    incentive = IncentiveSettings(target=0.5, price_share=0.5)
    with pytest.raises(TrainingInterruptedError) as left:
        train_incentive(model, tokenizer, rows, next_token_loss, incentive, settings, watch=watch)
    assert f"after step {told[-1].step} of 6." in str(left.value)
    assert [record.step for record in told] == list(range(1, len(told) + 1))
    assert list(dict.fromkeys(saved)) == [record.step for record in told]


@dataclass
class Priced:
    """As much of a charge as a phase looks at."""

    price: DualAscent


def moved(model, charge=None):
    """A training of three steps that adds one to every weight and gate, and to the price."""

    def train():
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(1)
        if charge is not None:
            charge.price = DualAscent(charge.price.value + 1)
        return FineTuneResult(3, 1.0, ())

    return train


def test_a_phase_that_has_ended_gives_weights_gates_and_price_back(model, tmp_path):
    phase = Phase(tmp_path / "phase", {"seed": 1})
    start = {name: part.clone() for name, part in model.state_dict().items()}
    ones = unit_macs(model, 1).map(torch.ones_like)
    ended, charge = Gates(ones), Priced(DualAscent(1.0))
    with gated(model, ended):
        assert phase.run(model, moved(model, charge), charge).steps == 3
    end = {name: part.clone() for name, part in model.state_dict().items()}
    model.load_state_dict(start)
    gates, charge = Gates(ones), Priced(DualAscent(1.0))
    with gated(model, gates):
        assert phase.run(model, lambda: pytest.fail("trained again"), charge).steps == 3
    assert all(torch.equal(part, end[name]) for name, part in model.state_dict().items())
    assert torch.equal(gates.log_alpha.joined(), ended.log_alpha.joined())
    assert charge.price.value == 2
    assert model.lm_head.weight is model.transformer.wte.weight  # tied, before and after


def test_without_a_folder_nothing_is_kept(model):
    phase = Phase(None, {})
    assert phase.run(model, moved(model)).steps == phase.run(model, moved(model)).steps == 3


def test_another_phase_is_refused(model, tmp_path):
    Phase(tmp_path, {"seed": 1}).run(model, moved(model))
    with pytest.raises(CheckpointError, match="other settings"):
        Phase(tmp_path, {"seed": 2}).run(model, moved(model))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"stated": {"seed": 1}, "steps": "three"}'])
def test_a_damaged_end_is_reached_again(model, tmp_path, content):
    Phase(tmp_path, {"seed": 1}).run(model, moved(model))
    (tmp_path / "ended.json").write_text(content)
    called = []
    Phase(tmp_path, {"seed": 1}).run(model, lambda: called.append(1) or moved(model)())
    assert called == [1]
    assert (tmp_path / "broken-ended.json").read_text() == content
    Phase(tmp_path, {"seed": 1}).run(model, lambda: pytest.fail("trained a third time"))


@pytest.mark.parametrize("spoil", [lambda whole: whole[:-1], lambda whole: whole[:-1] + bytes([whole[-1] ^ 1])])
def test_an_end_whose_weights_are_not_as_written_does_not_count(model, tmp_path, spoil):
    Phase(tmp_path, {"seed": 1}).run(model, moved(model))
    weights = tmp_path / "ended.safetensors"
    weights.write_bytes(spoil(weights.read_bytes()))
    called = []
    Phase(tmp_path, {"seed": 1}).run(model, lambda: called.append(1) or moved(model)())
    assert called == [1]


def test_what_could_not_be_compacted_is_not_trained(tokenizer, tiny_bert, rows_of, monkeypatch):
    model = BertForTokenClassification(tiny_bert().config)
    monkeypatch.setattr("compecon.training.incentive.fine_tune", None)
    with pytest.raises(UnsupportedModelError, match="cannot be compacted"):
        train_incentive(
            model,
            tokenizer,
            rows_of(),
            classification_loss(),
            IncentiveSettings(target=0.5),
            FineTuneSettings(steps=6, batch_size=4, precision="float32", device="cpu"),
        )
