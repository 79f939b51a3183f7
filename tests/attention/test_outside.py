"""A block is never lost in silence: in other threads, in replicas, in compiled graphs, in backward passes."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import transformers
from torch import nn
from torch.utils.checkpoint import checkpoint

from compecon.attention.budget import KeyBudget, PerLayer
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.policies.random_k import RandomK
from compecon.errors import UnsupportedModelError


def blocks():
    return (lambda model: budgeted_attention(model, KeyBudget(2)), recorded_attention)


@pytest.mark.parametrize("block", blocks(), ids=["budgeted", "recorded"])
def test_a_model_that_runs_in_another_thread_than_its_block_is_noticed(families, text, block):
    whole = families["Bert"].model("ForSequenceClassification")
    with ThreadPoolExecutor(2) as pool:
        for runs in (whole, whole.bert, whole.bert.encoder.layer[0].attention):
            inputs = (
                text if runs is not whole.bert.encoder.layer[0].attention else {"hidden_states": torch.randn(1, 4, 32)}
            )
            with pytest.raises(UnsupportedModelError, match="another thread"), block(whole):
                pool.submit(runs, **inputs).result()
    assert whole(**text).logits.isfinite().all()


@pytest.mark.parametrize("block", blocks(), ids=["budgeted", "recorded"])
def test_a_context_that_is_taken_along_is_in_the_block(bert, text, block):
    with block(bert):
        expected = bert(**text)[0]
    with ThreadPoolExecutor(1) as pool, block(bert):
        carried = pool.submit(contextvars.copy_context().run, bert, **text).result()[0]
    with block(bert):
        awaited = asyncio.run(asyncio.to_thread(bert, **text))[0]
    assert torch.equal(carried, expected)
    assert torch.equal(awaited, expected)


def test_an_error_in_the_block_is_not_covered_by_its_end(bert, text):
    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyError), budgeted_attention(bert, KeyBudget(2)):  # noqa: PT012
        pool.submit(bert, **text).result()
        raise KeyError("mine")


def replicated(model: nn.Module) -> nn.Module:
    """As nn.DataParallel does it for a GPU: shallow copies of all modules."""
    copies = {module: module._replicate_for_data_parallel() for module in model.modules()}
    for module, copied in copies.items():
        for name, child in module._modules.items():
            copied._modules[name] = None if child is None else copies[child]
        for name, parameter in module._parameters.items():
            setattr(copied, name, parameter)
        for name, buffer in module._buffers.items():
            copied._buffers[name] = buffer
    return copies[model]


@pytest.mark.parametrize("block", blocks(), ids=["budgeted", "recorded"])
def test_replicas_of_data_parallel_are_refused(bert, text, block):
    expected = bert(**text)[0]
    with ThreadPoolExecutor(1) as pool:
        with block(bert), pytest.raises(UnsupportedModelError, match="DataParallel"):
            pool.submit(replicated(bert), **text).result()
        assert torch.equal(pool.submit(replicated(bert), **text).result()[0], expected)


def test_data_parallel_on_one_device_is_in_the_block(bert, text):
    with budgeted_attention(nn.DataParallel(bert), KeyBudget(2)), recorded_attention(bert) as records:
        nn.DataParallel(bert)(**text)
    assert (records[0].weights > 0).sum(-1).max() == 2


@pytest.mark.parametrize("name", ["Llama", "Bert"])
def test_checkpoints_that_are_recomputed_in_a_thread_of_their_own_are_in_the_block(families, name):
    batch, gradients = families[name].batch(), []
    for elsewhere in (False, True):
        model = families[name].model().train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        if elsewhere:
            model.activation_checkpointing_enable()
        with budgeted_attention(model, KeyBudget(3), RandomK()):
            loss = model(**batch)[0].square().sum()
            thread = threading.Thread(target=loss.backward) if elsewhere else None  # as autograd does for a GPU
            if thread:
                thread.start()
                thread.join()
            else:
                loss.backward()
        gradients.append([parameter.grad for parameter in model.parameters() if parameter.grad is not None])
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("found", ["eager", "sdpa"])
@torch.inference_mode()
def test_a_model_is_given_back_as_it_was_found(family, found):
    model, batch = family.model(), family.batch()
    if found == "sdpa" and not model._supports_sdpa:
        pytest.skip("has no sdpa")
    model.set_attn_implementation(found)
    expected = model(**batch, output_attentions=found == "eager")
    with budgeted_attention(model, KeyBudget(1)):
        pass
    with budgeted_attention(model, KeyBudget(2)), recorded_attention(model):
        model(**batch)
    with pytest.raises(KeyError), recorded_attention(model):
        raise KeyError
    assert {part.config._attn_implementation for part in model.modules() if hasattr(part, "config")} == {found}
    given = model(**batch, output_attentions=found == "eager")
    assert given.keys() == expected.keys()
    assert torch.equal(given[0], expected[0])
    if found == "eager":
        model.config.output_attentions = True
        model.config.validate_output_attentions()
        name = "attentions" if "attentions" in expected else "decoder_attentions"
        assert all(torch.equal(one, other) for one, other in zip(given[name], expected[name], strict=True))


@pytest.mark.parametrize("found", ["eager", "sdpa"])
def test_while_another_thread_is_in_a_block_a_model_computes_as_found(family, found):
    model, batch = family.model(), family.batch()
    if found == "sdpa" and not model._supports_sdpa:
        pytest.skip("has no sdpa")
    model.set_attn_implementation(found)
    with ThreadPoolExecutor(1) as pool, torch.no_grad():
        expected = model(**batch, output_attentions=found == "eager")
        with recorded_attention(model):
            model(**batch)
            given = pool.submit(no_grad(model), **batch, output_attentions=found == "eager").result()
    assert torch.equal(given[0], expected[0])
    assert given.keys() == expected.keys()


def no_grad(model):
    return torch.no_grad()(lambda **batch: model(**batch))


def test_parts_with_implementations_of_their_own_get_them_back(families):
    model = families["Bart"].model()
    layer = model.encoder.layers[0].self_attn
    layer.config = type(layer.config).from_dict(layer.config.to_dict())
    layer.config._attn_implementation = "eager"
    with recorded_attention(model) as records:
        model(**families["Bart"].batch())
    assert len(records) == 7  # a layer with a configuration of its own too
    assert (layer.config._attn_implementation, model.config._attn_implementation) == ("eager", "sdpa")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("found", ["eager", "sdpa"])
@torch.no_grad()
def test_a_compiled_model_is_budgeted_or_refused(bert, text, found):
    bert.set_attn_implementation(found)
    dense = bert(**text)[0]
    with budgeted_attention(bert, KeyBudget(2)):
        expected = bert(**text)[0]
    for fullgraph in (False, True):
        torch._dynamo.reset()
        compiled = torch.compile(bert, fullgraph=fullgraph, backend="eager")
        for model in (bert, compiled):
            assert torch.allclose(compiled(**text)[0], dense, atol=1e-6)
            if fullgraph:
                with pytest.raises(UnsupportedModelError, match="fullgraph"), budgeted_attention(model, KeyBudget(2)):
                    compiled(**text)
            else:
                with budgeted_attention(model, KeyBudget(2)):
                    assert torch.allclose(compiled(**text)[0], expected, atol=1e-6)


class Part(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, *args, **kwargs):
        return self.part(*args, **kwargs)


@torch.inference_mode()
def test_shared_layers_are_counted_anew_whichever_part_is_called(families, text):
    whole = transformers.AlbertForMaskedLM(families["Albert"].config()).eval()
    budget = PerLayer((KeyBudget(1), KeyBudget(3), KeyBudget(5)))
    hidden = torch.randn(1, 10, 16)
    for outer in (whole, whole.albert, Part(whole)):
        with budgeted_attention(outer, budget), recorded_attention(outer) as records:
            for part in (whole, whole.albert, whole.albert, whole):
                part(**text)
            whole.albert.encoder(hidden)
            whole.albert.encoder(hidden)
            with pytest.raises(ValueError, match="NaN"):
                whole.albert.encoder(hidden * torch.nan)
            whole.albert.encoder(hidden)
        read = [(record.layer, int((record.weights > 0).sum(-1).max())) for record in records]
        assert read == [(0, 1), (1, 3), (2, 5)] * 7


@torch.inference_mode()
def test_threads_that_share_one_block_count_layers_each_for_itself(families, text):
    model = families["Albert"].model()
    together = threading.Barrier(2)

    def wait(*_: object) -> None:
        together.wait(timeout=60)

    model.encoder.albert_layer_groups[0].register_forward_hook(wait)
    run = torch.inference_mode()(lambda: model(**text)[0])
    with budgeted_attention(model, PerLayer((KeyBudget(1), KeyBudget(3), KeyBudget(5)))), ThreadPoolExecutor(2) as pool:
        work = [pool.submit(contextvars.copy_context().run, run) for _ in range(2)]
        one, other = (part.result() for part in work)
    assert torch.equal(one, other)


def test_recomputed_shared_layers_are_refused(families):
    model = families["Albert"].model()
    hidden = torch.randn(1, 4, 16, requires_grad=True)
    with budgeted_attention(model, KeyBudget(3)):
        output = checkpoint(model.encoder, hidden, use_reentrant=False)
        with pytest.raises(UnsupportedModelError, match="gradient checkpointing"):
            output[0].sum().backward()


@torch.inference_mode()
def test_a_module_around_a_model_has_the_places_of_the_model(family):
    model, batch = family.model(), family.batch()
    with recorded_attention(model) as own:
        model(**batch)
    with recorded_attention(Part(Part(model))) as around:
        model(**batch)
    assert [(record.stack, record.layer) for record in around] == [(record.stack, record.layer) for record in own]
