import copy
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import torch
import transformers
from torch import Tensor, nn

from compecon.attention.budget import KeyBudget, PerHead, PerLayer, PerRow
from compecon.attention.hooks import budgeted_attention, recorded_attention, require_routed
from compecon.attention.policies.first_k import FirstK
from compecon.attention.policies.top_k import TopK
from compecon.errors import UnsupportedModelError

_SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 50,
}
_GPT_NEO = {"hidden_size": 32, "num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]}
_ENDS = {"vocab_size": 50, "bos_token_id": 1, "eos_token_id": 1}
OUT_OF_REACH = {
    "MPNet": _SMALL,
    "Deberta": _SMALL,
    "DebertaV2": _SMALL,
    "Longformer": {**_SMALL, "attention_window": 4, "pad_token_id": 1},
    "Bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4, **_ENDS},
    "XLNet": {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64, **_ENDS},
    "GPTNeo": {**_GPT_NEO, **_ENDS},
    "GPTJ": {"n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4, **_ENDS},
    "FNet": {key: value for key, value in _SMALL.items() if key != "num_attention_heads"},  # has no attention at all
    "Qwen3_5Text": {  # some layers scan, some attend
        **_SMALL,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "layer_types": ["linear_attention", "full_attention"],
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 2,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
    },
}


def supports(records) -> list[list[int]]:
    """Largest number of keys read, by layer and head."""
    return [(record.weights > 0).sum(-1).amax((0, 2)).tolist() for record in records]


@pytest.mark.parametrize(
    ("budget", "policy"), [(3, TopK()), (TopK(), KeyBudget(2)), (KeyBudget(2), TopK), (KeyBudget(2), "top-k")]
)
def test_arguments_of_other_kinds_are_refused_at_the_call(bert, budget, policy):
    with pytest.raises(ValueError, match=r"expected a (budget|policy)"), budgeted_attention(bert, budget, policy):
        pass


@pytest.mark.parametrize("model", [None, "sentiment"])
@pytest.mark.parametrize(
    "block", [recorded_attention, require_routed, lambda model: budgeted_attention(model, KeyBudget(2))]
)
def test_what_is_no_model_is_refused(model, block):
    with pytest.raises(UnsupportedModelError, match="load_checkpoint"), ExitStack() as stack:
        stack.enter_context(block(model))


@pytest.mark.parametrize("name", OUT_OF_REACH)
@torch.inference_mode()
def test_a_model_out_of_reach_is_refused_and_left_as_it_was(name):
    config = getattr(transformers, f"{name}Config")(**OUT_OF_REACH[name])
    model = getattr(transformers, f"{name}Model")(config).eval()
    batch = {"input_ids": torch.randint(2, 50, (2, 8))}
    if name != "FNet":
        batch["attention_mask"] = torch.tensor([[1] * 8, [1] * 5 + [0] * 3])
    before, implementation = model(**batch)[0], model.config._attn_implementation
    enter = (lambda it: recorded_attention(it).__enter__(), lambda it: budgeted_attention(it, KeyBudget(2)).__enter__())
    for use in (require_routed, *enter):
        with pytest.raises(UnsupportedModelError, match=model.config.model_type):
            use(model)
    assert model.config._attn_implementation == implementation
    assert not model._forward_pre_hooks
    assert torch.equal(model(**batch)[0], before)


def test_requiring_changes_nothing(bert):
    before = bert.config._attn_implementation
    require_routed(bert)
    assert bert.config._attn_implementation == before


def test_a_model_that_never_asks_for_its_attention_is_noticed(bert, text):
    class Bypass(nn.Module):
        def forward(self, hidden: Tensor, *_: object, **__: object) -> tuple[Tensor, None]:
            return hidden, None

    refused = pytest.raises(UnsupportedModelError, match="nothing was budgeted")
    with refused, budgeted_attention(bert, KeyBudget(2)):
        for layer in bert.encoder.layer:
            layer.attention = Bypass()
        bert(**text)


def test_a_block_in_which_nothing_runs_is_fine(bert):
    with budgeted_attention(bert, KeyBudget(2)), recorded_attention(bert) as records:
        pass
    assert records == []


def test_an_error_inside_a_block_comes_out_as_it_is(bert, text):
    expected = bert(**text)[0]
    with pytest.raises(KeyError, match="mine"), budgeted_attention(bert, KeyBudget(1)):
        raise KeyError("mine")
    assert not bert._forward_pre_hooks
    assert torch.allclose(bert(**text)[0], expected, atol=1e-6)


@torch.inference_mode()
def test_blocks_nest_and_end_in_order(bert, text):
    with recorded_attention(bert) as outer:
        with budgeted_attention(bert, KeyBudget(5)):
            bert(**text)
            with budgeted_attention(bert, KeyBudget(2), FirstK()), recorded_attention(bert) as inner:
                bert(**text)
            bert(**text)
        bert(**text)
    assert [read[0] for read in supports(outer)] == [5] * 3 + [2] * 3 + [5] * 3 + [10] * 3
    assert [read[0] for read in supports(inner)] == [2] * 3


@torch.inference_mode()
def test_an_inner_budget_selects_from_what_the_outer_one_left(bert, text):
    with budgeted_attention(bert, KeyBudget(5)), recorded_attention(bert, layers=[0]) as outer:
        bert(**text)
        with budgeted_attention(bert, KeyBudget(2), FirstK()), recorded_attention(bert, layers=[0]) as inner:
            bert(**text)
    left = outer[0].weights > 0
    first_two_of_them = left & (left.cumsum(-1) <= 2)
    assert torch.equal(inner[0].weights > 0, first_two_of_them)


@torch.inference_mode()
def test_budgets_differ_by_layer_head_and_row(families):
    model, batch = families["Bert"].model(), {"input_ids": torch.randint(2, 50, (2, 10))}
    heads = PerHead((KeyBudget(1), KeyBudget(2), None, KeyBudget(share=0.5)))
    budget = PerLayer((None, heads, PerRow((KeyBudget(7), KeyBudget(4)))))
    with budgeted_attention(model, budget), recorded_attention(model) as records:
        model(**batch)
    assert supports(records[:2]) == [[10, 10, 10, 10], [1, 2, 10, 5]]
    assert (records[2].weights > 0).sum(-1)[:, :, 0].tolist() == [[7] * 4, [4] * 4]


@torch.inference_mode()
def test_only_the_wanted_layers_are_recorded(bert, text):
    with recorded_attention(bert, layers=(2, 0)) as records:
        bert(**text)
    assert [record.layer for record in records] == [0, 2]


def test_a_recording_stays_attached_to_the_graph(bert, text):
    with recorded_attention(bert) as records:
        bert(**text)
    sum(record.weights.square().sum() for record in records).backward()
    assert bert.encoder.layer[0].attention.self.query.weight.grad.abs().max() > 0


@torch.inference_mode()
def test_two_models_built_from_one_configuration_do_not_share_blocks(families):
    config, batch = families["Bert"].config(), families["Bert"].batch()
    one, other = (transformers.BertModel(config).eval() for _ in range(2))
    assert one.config is other.config
    expected = other(**batch)[0]
    with budgeted_attention(one, KeyBudget(1)), recorded_attention(other) as records:
        one(**batch)
        given = other(**batch)[0]
    assert torch.allclose(given, expected, atol=1e-5)
    assert len(records) == 3
    assert min(min(read) for read in supports(records)) > 1


@torch.inference_mode()
def test_a_copy_of_a_model_is_another_model(bert, text):
    expected = bert(**text)[0]
    with budgeted_attention(bert, KeyBudget(1)):
        twin = copy.deepcopy(bert)
        assert torch.allclose(twin(**text)[0], expected, atol=1e-5)


@torch.inference_mode()
def test_a_part_of_a_model_and_a_module_around_one_can_be_budgeted(families, text):
    whole = families["Bert"].model("ForSequenceClassification")

    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = whole

        def forward(self, **batch: Tensor) -> Tensor:
            return self.encoder(**batch).logits.mean()

    for outer in (whole, whole.bert, Pooled()):
        with budgeted_attention(outer, KeyBudget(2)), recorded_attention(whole.bert) as records:
            whole(**text)
        assert supports(records) == [[2] * 4] * 3


@torch.inference_mode()
def answer(model, text, budget, wait=lambda: None) -> Tensor:
    """What the model says under a budget; checks that it read no more and no less."""
    with ExitStack() as stack:
        records = []
        if budget is not None:
            stack.enter_context(budgeted_attention(model, budget))
            records = stack.enter_context(recorded_attention(model))
        wait()
        output = model(**text)[0]
        wait()
    assert supports(records) == [[budget.keys] * 4] * 3 if budget else not records
    return output


def test_threads_that_share_a_model_do_not_mix(bert, text):
    budgets = [None, *(KeyBudget(keys) for keys in (1, 2, 5))]
    expected = [answer(copy.deepcopy(bert), text, budget) for budget in budgets]
    together = threading.Barrier(len(budgets))  # every block is open before any pass, every pass done before any ends

    def often(budget) -> list[Tensor]:
        try:
            return [answer(bert, text, budget, wait=together.wait) for _ in range(20)]
        except BaseException:
            together.abort()
            raise

    with ThreadPoolExecutor(len(budgets)) as pool:
        for given, one in zip(pool.map(often, budgets), expected, strict=True):
            assert all(torch.allclose(output, one, atol=1e-5) for output in given)


def test_dropout_is_active_in_training_and_only_there(families):
    model = families["Bert"].model().train()
    batch = {"input_ids": torch.randint(2, 50, (2, 10))}
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    for layer in model.encoder.layer:
        layer.attention.self.dropout.p = 0.5
    with budgeted_attention(model, KeyBudget(5)):
        one, other = model(**batch)[0], model(**batch)[0]
        assert not torch.allclose(one, other)
        model.eval()
        assert torch.equal(model(**batch)[0], model(**batch)[0])


def test_gradient_checkpoints_inside_the_block_change_no_gradient(families):
    batch = families["Llama"].batch()
    gradients = []
    for checkpoints in (False, True):
        model = families["Llama"].model().train()
        if checkpoints:
            model.activation_checkpointing_enable()
        with budgeted_attention(model, KeyBudget(3)):
            model(**batch, use_cache=False)[0].square().sum().backward()
        gradients.append(model.layers[0].self_attn.k_proj.weight.grad)
    assert torch.allclose(*gradients, atol=1e-5)


def test_nan_names_the_layer(bert, text):
    with torch.no_grad():
        bert.encoder.layer[1].attention.self.key.weight.fill_(torch.nan)
    for block in (budgeted_attention(bert, KeyBudget(2)), recorded_attention(bert)):
        with block, pytest.raises(ValueError, match=r"layer 1 \(encoder\): .* not numbers \(NaN\)"):
            bert(**text)


def test_the_wrong_number_of_heads_names_the_layer(bert, text):
    with (
        budgeted_attention(bert, PerHead((None,) * 3)),
        pytest.raises(ValueError, match=r"layer 0 .* 3 budgets for 4 heads"),
    ):
        bert(**text)


@torch.inference_mode()
def test_an_additive_mask_of_ones_own_is_understood(bert, text):
    visible = torch.ones(1, 1, 10, 10).tril().bool()
    additive = torch.zeros(1, 1, 10, 10).masked_fill(~visible, torch.finfo(torch.float32).min)
    with budgeted_attention(bert, KeyBudget(3)), recorded_attention(bert) as records:
        given = bert(text["input_ids"], attention_mask=additive)[0]
        expected = bert(text["input_ids"], attention_mask=visible)[0]
    assert torch.allclose(given, expected, atol=1e-6)
    assert torch.equal(records[0].visible, visible)


@torch.inference_mode()
def test_weights_come_back_from_the_model_too(bert, text):
    with budgeted_attention(bert, KeyBudget(3), TopK()), recorded_attention(bert) as records:
        output = bert(**text, output_attentions=True)
    for given, record in zip(output.attentions, records, strict=True):
        assert torch.equal(given, record.weights)


def test_a_model_is_not_kept_alive(families, text):
    model = families["Bert"].model()
    with budgeted_attention(model, KeyBudget(3)):
        model(**text)
    seen = weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None


@torch.inference_mode()
def test_layers_replaced_between_two_blocks_are_found(bert, text):
    with recorded_attention(bert) as records:
        bert(**text)
    bert.encoder.layer = bert.encoder.layer[:2]
    bert.encoder.layer[0] = copy.deepcopy(bert.encoder.layer[1])
    with recorded_attention(bert) as fewer:
        bert(**text)
    assert (len(records), len(fewer)) == (3, 2)
