from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel

_BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 50,
    "max_position_embeddings": 64,
}
_LLAMA = {**_BERT, "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
_GPT2 = {"n_embd": 32, "n_layer": 3, "n_head": 4, "vocab_size": 50, "n_positions": 64}
_ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1, "cls_token_id": 1, "sep_token_id": 1}
_BART = {
    "d_model": 32,
    "encoder_layers": 3,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "vocab_size": 50,
    "max_position_embeddings": 64,
}


@dataclass(frozen=True)
class Family:
    """An architecture small enough for a test."""

    name: str  # of the classes: BertConfig, BertModel
    settings: dict[str, Any]
    stacks: dict[str, int] = field(default_factory=lambda: {"encoder": 3})
    inputs: str = "text"

    def config(self) -> Any:
        return getattr(transformers, f"{self.name}Config")(**self.settings)

    def model(self, head: str = "Model") -> PreTrainedModel:
        torch.manual_seed(0)
        return getattr(transformers, self.name + head)(self.config()).eval()

    def batch(self, side: str = "right") -> dict[str, Tensor]:
        """Two rows, the second with four tokens of padding."""
        if self.inputs == "image":
            return {"pixel_values": torch.randn(2, 3, 16, 16)}
        mask = torch.ones(2, 12, dtype=torch.long)
        mask[1, 8:] = 0
        ids = torch.randint(2, 50, (2, 12)) * mask
        if side == "left":
            mask, ids = mask.flip(1), ids.flip(1)
        batch = {"input_ids": ids, "attention_mask": mask}
        return {**batch, "decoder_input_ids": ids[:, :7]} if self.inputs == "pair" else batch


_DECODER = {"decoder": 3}
_BOTH = {"encoder": 3, "decoder": 2, "cross": 2}
_WINDOWS = {"sliding_window": 6, "head_dim": 8}
FAMILIES = {
    family.name: family
    for family in (
        Family("Bert", _BERT),
        Family("DistilBert", {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64, "vocab_size": 50}),
        Family("Roberta", _BERT),
        Family("Electra", {**_BERT, "embedding_size": 32}),
        Family("Albert", {**_BERT, "embedding_size": 16}),  # one module serves every layer
        Family("ModernBert", {**_BERT, **_ENDS, "local_attention": 8}),
        Family("GPT2", _GPT2, _DECODER),
        Family("OPT", {**_BERT, "ffn_dim": 64, "word_embed_proj_dim": 32}, _DECODER),
        Family("Llama", _LLAMA, _DECODER),  # two heads share a key head
        Family("Qwen2", _LLAMA, _DECODER),
        Family("Mistral", {**_LLAMA, **_WINDOWS}, _DECODER),
        Family("Gemma2", {**_LLAMA, **_WINDOWS, "attn_logit_softcapping": 1.0, "query_pre_attn_scalar": 8}, _DECODER),
        Family(
            "GptOss",  # a learned sink in every softmax
            {**_LLAMA, **_WINDOWS, "num_local_experts": 2, "num_experts_per_tok": 1, "rope_parameters": None},
            _DECODER,
        ),
        Family(
            "T5",
            {
                "d_model": 32,
                "d_kv": 8,
                "num_layers": 3,
                "num_decoder_layers": 2,
                "num_heads": 4,
                "d_ff": 64,
                "vocab_size": 50,
                "decoder_start_token_id": 0,
            },
            _BOTH,
            "pair",
        ),
        Family("Bart", _BART, _BOTH, "pair"),
        Family(
            "ViT",
            {k: v for k, v in _BERT.items() if k != "vocab_size"} | {"image_size": 16, "patch_size": 4},
            inputs="image",
        ),
    )
}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


@pytest.fixture
def families() -> dict[str, Family]:
    return FAMILIES


@pytest.fixture
def bert() -> PreTrainedModel:
    return FAMILIES["Bert"].model()


@pytest.fixture
def text() -> dict[str, Tensor]:
    """One text of ten tokens without padding."""
    return {"input_ids": torch.randint(2, 50, (1, 10)), "attention_mask": torch.ones(1, 10, dtype=torch.long)}
