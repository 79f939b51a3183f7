from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from compecon.attention.hooks import recorded_attention
from compecon.compression.compact_model import compact
from compecon.compression.families import layers_of
from compecon.compression.onnx import export_onnx
from compecon.compression.units import Units


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
