from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2ForSequenceClassification

from compecon.attention.hooks import recorded_attention
from compecon.compression.compact_model import compact
from compecon.compression.families import layers_of
from compecon.compression.onnx import export_onnx
from compecon.compression.units import Units
from tests.compression.conftest import SIZE, bert


def classifier() -> nn.Module:
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 24, "n_positions": 16, "pad_token_id": 1}
    return GPT2ForSequenceClassification(GPT2Config(**SIZE, **sizes))


def compacted(model: Any) -> Any:
    """One layer with half of its units, one without any."""
    layer = layers_of(model)[0]
    half = [torch.rand(n) * (torch.arange(n) % 2) for n in (layer.n_heads, layer.n_neurons)]
    return compact(model, Units((half[0], torch.zeros(layer.n_heads)), (half[1], torch.zeros(layer.n_neurons))))


def computed(file: Path, batch: dict[str, Tensor]) -> Tensor:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
    [output] = session.run(None, {name: values.numpy() for name, values in batch.items()})
    return torch.from_numpy(output)


@pytest.mark.slow
def test_another_runtime_computes_the_same_logits(model: nn.Module, batch: dict[str, Tensor], tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs the extra: pip install -e '.[onnx]'")
    small = compacted(model)
    with recorded_attention(small):
        pass
    before, attention = small.config.to_dict(), small.config._attn_implementation
    file = export_onnx(small, {name: values[:1] for name, values in batch.items()}, tmp_path / "new" / "small.onnx")
    assert small.config.to_dict() == before
    assert small.config._attn_implementation == attention
    shorter = {name: values[:, :4] for name, values in batch.items()}
    for given in (batch, shorter, {name: values[:1, :1] for name, values in batch.items()}):
        with torch.inference_mode():
            expected = small(**given).logits
        found, read = computed(file, given), given["attention_mask"].bool()
        if expected.ndim == 3:
            found, expected = found[read], expected[read]
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("build", [bert, classifier], ids=["first token", "last token"])
def test_the_last_layer_of_a_written_classifier_serves_one_position(build: Any, side: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript", reason="needs the extra: pip install -e '.[onnx]'")
    torch.manual_seed(0)
    model = build().eval()
    ids = torch.randint(2, 50, (3, 7))
    mask = torch.ones_like(ids)
    for row, absent in enumerate((0, 2, 5)):
        gone = slice(0, absent) if side == "left" else slice(7 - absent, 7)
        ids[row, gone], mask[row, gone] = 1, 0
    batch = {"input_ids": ids, "attention_mask": mask}
    file = export_onnx(model, batch, tmp_path / "model.onnx")
    with torch.inference_mode():
        torch.testing.assert_close(computed(file, batch), model(**batch).logits, atol=1e-4, rtol=1e-4)
    written = onnx.shape_inference.infer_shapes(onnx.load(file)).graph
    neurons = layers_of(model)[0].n_neurons
    sizes = [[dim.dim_value or dim.dim_param for dim in one.type.tensor_type.shape.dim] for one in written.value_info]
    tokens = {str(size[1]) for size in sizes if len(size) == 3 and size[2] == neurons}
    assert "1" in tokens
    assert len(tokens) == 2  # and as many as there are


def test_without_the_packages_it_is_said_what_to_install(
    model: nn.Module, batch: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compecon.compression.onnx.find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(ImportError, match=r"pip install onnxscript"):
        export_onnx(model, batch, tmp_path / "x.onnx")


@pytest.mark.parametrize("ids", [torch.ones(3, 1).long(), torch.ones(3).long()])
def test_an_example_without_length_is_refused(
    model: nn.Module, ids: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compecon.compression.onnx.find_spec", lambda name: name)
    with pytest.raises(ValueError, match=r"input_ids must have shape \(batch, token\)"):
        export_onnx(model, {"input_ids": ids}, tmp_path / "x.onnx")
