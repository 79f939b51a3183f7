"""A GPU computes what a CPU computes. `-m gpu` asks a real one; the fast suite a simulated one, which mixes nothing."""

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

from compecon import metrics
from compecon.attention.budget import KeyBudget, PerHead, PerLayer, PerRow
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.masks import visible_keys
from compecon.attention.policy import FirstK, RandomK, SinkRecent, TopK, TopMass
from compecon.attention.sweep import sweep
from compecon.compression.compact import compact
from compecon.compression.families import layers_of
from compecon.compression.prune import METHODS, prune
from compecon.compression.units import Units
from compecon.incentives.gates import Gates, gated
from tests.support import simulated

POLICIES = [TopK(), RandomK(), FirstK(), SinkRecent(sinks=1), TopMass(mass=0.5)]
BUDGETS = [KeyBudget(2), KeyBudget(share=0.4), PerRow((KeyBudget(1), None)), PerHead((KeyBudget(1), None, None, None))]


@pytest.fixture(
    params=["simulated", pytest.param("cuda", marks=pytest.mark.gpu), pytest.param("mps", marks=pytest.mark.gpu)]
)
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "simulated":
        with simulated.Device():
            yield simulated.NAME
        return
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}[request.param]
    if not there():
        pytest.skip(f"needs {request.param}, and there is none on this machine")
    yield request.param


def skip_simulated(device: str) -> None:
    if device == simulated.NAME:
        pytest.skip("torch reads a number, or makes a tensor, where the simulated device does not see it: use -m gpu")


def bert() -> BertForSequenceClassification:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 16}
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return BertForSequenceClassification(BertConfig(**sizes, **still, vocab_size=50)).eval()


def gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 50, "n_positions": 32}
    return GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=1, eos_token_id=1)).eval()


def batch() -> dict[str, Tensor]:
    mask = torch.ones(2, 9, dtype=torch.long)
    mask[1, 6:] = 0
    return {"input_ids": torch.randint(2, 50, (2, 9)), "attention_mask": mask}


def there(model: nn.Module, device: str) -> nn.Module:
    return copy.deepcopy(model).to(device)


def put(tensors: dict[str, Tensor], device: str) -> dict[str, Tensor]:
    return {name: tensor.to(device) for name, tensor in tensors.items()}


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
@pytest.mark.parametrize("budget", BUDGETS, ids=range(len(BUDGETS)))
def test_every_policy_marks_the_same_keys(device, policy, budget):
    scores = torch.randn(2, 4, 6, 9).mul(2).round()  # with ties
    visible = torch.rand(2, 1, 6, 9) < 0.7
    visible[0, 0, 2] = False
    expected = policy.keep(scores, visible, budget, layer=1).expand(scores.shape)
    given = policy.keep(scores.to(device), visible.to(device), budget, layer=1).expand(scores.shape)
    assert given.device.type == device
    assert torch.equal(given.cpu(), expected)


def test_masks_of_floats(device):
    scores, mask = torch.randn(2, 4, 6, 9), torch.where(torch.rand(2, 1, 6, 9) < 0.3, -100.0, torch.randn(1, 4, 6, 9))
    assert torch.equal(visible_keys(mask.to(device), scores.to(device)).cpu(), visible_keys(mask, scores))


@pytest.mark.parametrize("make", [bert, gpt2])
@torch.no_grad()
def test_budgets_and_recordings(device, make):
    if make is gpt2:
        skip_simulated(device)
    model, given = make(), batch()
    layered = PerLayer({1: KeyBudget(2)})
    for policy in POLICIES:
        for budget in (KeyBudget(3), layered):
            found = []
            for one, inputs in ((model, given), (there(model, device), put(given, device))):
                with budgeted_attention(one, budget, policy), recorded_attention(one) as records:
                    found.append((one(**inputs).logits.cpu(), [record.weights.cpu() for record in records]))
            (expected, read), (logits, other) = found
            assert torch.allclose(logits, expected, atol=1e-4)
            assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(read, other, strict=True))


@torch.no_grad()
def test_decoding_with_a_cache(device):
    skip_simulated(device)
    model, given = gpt2(), {"input_ids": torch.randint(2, 50, (1, 5))}
    settings = {"max_new_tokens": 5, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    texts = []
    for one, inputs in ((model, given), (there(model, device), put(given, device))):
        with budgeted_attention(one, KeyBudget(2), RandomK()):
            texts.append(one.generate(**inputs, **settings).cpu())
    assert torch.equal(*texts)


@torch.no_grad()
def test_a_sweep(device):
    skip_simulated(device)
    model, given = bert(), {name: value[:1] for name, value in batch().items()}
    budgets = [None, KeyBudget(4), KeyBudget(share=0.2)]
    expected = list(sweep(model, given, budgets, RandomK()))
    points = list(sweep(there(model, device), put(given, device), budgets, RandomK()))
    for one, other in zip(points, expected, strict=True):
        assert torch.allclose(one.output.logits.cpu(), other.output.logits, atol=1e-4)


def test_statistics(device):
    skip_simulated(device)
    weights, visible = torch.rand(2, 4, 6, 9).softmax(-1), torch.rand(2, 1, 6, 9) < 0.8
    visible[..., 0] = True
    weights = weights * visible
    for statistic in (metrics.gini, metrics.entropy, metrics.effective_number, metrics.herfindahl):
        expected, given = statistic(weights, visible), statistic(weights.to(device), visible.to(device))
        assert torch.allclose(given.cpu(), expected, atol=1e-5), statistic.__name__
    expected, given = metrics.lorenz_curve(weights), metrics.lorenz_curve(weights.to(device))
    assert torch.allclose(given.cpu(), expected, atol=1e-5)
    retained = metrics.retained_mass(weights.to(device), keys=2).cpu()
    assert torch.allclose(retained, metrics.retained_mass(weights, keys=2), atol=1e-5)


def test_two_devices_never_meet(device):
    with pytest.raises((RuntimeError, NotImplementedError)):
        torch.ones(3).to(device) + torch.ones(3)
    with pytest.raises((TypeError, RuntimeError)):
        torch.ones(3).to(device).numpy()


@pytest.mark.parametrize("make", [bert, gpt2])
def test_a_training_step_with_gates_and_a_budget(device, make):
    if make is gpt2:
        skip_simulated(device)
    steps = []
    for place in ("cpu", device):
        model = there(make(), place).train()
        gates = Gates(_units(model, 1.0)).to(place)
        optimizer = torch.optim.AdamW([*model.parameters(), *gates.parameters()], lr=1e-2)
        gates.train(False)  # what is drawn differs by device
        with gated(model, gates), budgeted_attention(model, KeyBudget(3)):
            torch.manual_seed(0)
            loss = model(**put(fixed_batch(), place)).logits.square().mean()
            (loss + gates.chance_open().joined().sum()).backward()
        optimizer.step()
        steps.append([parameter.detach().cpu() for parameter in (*model.parameters(), *gates.parameters())])
    assert all(torch.allclose(one, other, atol=2e-3) for one, other in zip(*steps, strict=True))


@pytest.mark.parametrize("make", [bert, gpt2])
@torch.no_grad()
def test_compaction(device, make):
    if make is gpt2:
        skip_simulated(device)
    model = make()
    values = _units(model, 1.0)
    for part in (*values.heads, *values.neurons):
        part[::3] = 0
    expected = compact(model, values)(**fixed_batch()).logits
    small = compact(there(model, device), values)
    assert {parameter.device.type for parameter in small.parameters()} == {device}
    assert torch.allclose(small(**put(fixed_batch(), device)).logits.cpu(), expected, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_pruning(device, method):
    def loss(model: nn.Module, one: dict[str, Tensor]) -> Tensor:
        return model(**one).logits.square().mean()

    kept = []
    for place in ("cpu", device):
        model = there(bert(), place)
        batches = [put(fixed_batch(), place)]
        kept.append(prune(model, method, 0.5, n_tokens=9, batches=batches, loss=loss))
    for one, other in zip((*kept[0].heads, *kept[0].neurons), (*kept[1].heads, *kept[1].neurons), strict=True):
        assert torch.allclose(one, other, atol=1e-2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@torch.no_grad()
def test_half_precision(device, dtype):
    model = there(bert().to(dtype), device)
    for policy in POLICIES:
        with budgeted_attention(model, KeyBudget(2), policy), recorded_attention(model) as records:
            logits = model(**put(fixed_batch(), device)).logits
        assert logits.dtype == dtype
        assert logits.isfinite().all()
        assert (records[0].weights > 0).sum(-1).max() == 2


def fixed_batch() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return batch()


def _units(model: nn.Module, value: float) -> Units:
    return Units.full([(layer.n_heads, layer.n_neurons) for layer in layers_of(model)], value)
