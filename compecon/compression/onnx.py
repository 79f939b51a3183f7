"""A model as one ONNX file, which any runtime executes without this library: compacted shapes are just smaller ones."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from typing_extensions import override

from compecon.attention.padding import forward
from compecon.compression.last_layer import serve_one_position, serves_one_position
from compecon.compression.read_position import position_read

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_WRITERS = ("onnx", "onnxscript")
_AXES = {0: "batch", 1: "token"}


def export_onnx(model: PreTrainedModel, batch: Mapping[str, Tensor], path: str | Path) -> Path:
    """Write a model as ONNX, for batches of any size and texts of any length that the model can read.

    The inputs are called as in the batch, the output as in transformers: "logits", or "last_hidden_state" of a bare
    model. A language model is written without its key cache, a classifier with a last layer at the one position that
    its head reads.

    Args:
        model: Dense or compacted, up to 2 GB; it is left alone.
        batch: Example inputs of shape (batch, token), at least 2 tokens long. The file reads these inputs and no other,
            so give the attention mask if texts will be padded.
        path: File to write, with all weights in it.

    Returns:
        The file.

    Raises:
        ImportError: If the packages that write ONNX are not installed.
        ValueError: If an input is not of shape (batch, token), or holds a single token.
    """
    require_writers()
    for name, values in batch.items():
        if values.ndim != 2 or values.shape[1] < 2:
            raise ValueError(f"{name} must have shape (batch, token) with 2 tokens or more, got {tuple(values.shape)}.")
    file = Path(path).expanduser()
    file.parent.mkdir(parents=True, exist_ok=True)
    traced = _Traced(model, tuple(batch))
    # A size of 1 would be taken for a constant, so the example has two rows.
    example = tuple(torch.cat([values, values])[: max(2, len(values))] for values in batch.values())
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns of torch's own code, and of inputs that share an axis
        torch.onnx.export(
            traced,
            example,
            file,
            input_names=list(batch),
            output_names=[traced.output_name(example)],
            dynamic_shapes={"values": tuple(_AXES for _ in example)},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    return file


def require_writers() -> None:
    """Make sure that the packages that write ONNX are installed (ImportError)."""
    if missing := [name for name in _WRITERS if find_spec(name) is None]:
        install = f"python -m pip install {' '.join(missing)}"
        raise ImportError(f"Writing ONNX needs {' and '.join(missing)}. Run `{install}`.")


@final
class _Traced(nn.Module):
    """A copy of a model with inputs by position and one output, on an attention that can be traced."""

    def __init__(self, model: PreTrainedModel, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model: Any = copy.deepcopy(model)
        self.model.set_attn_implementation("sdpa" if model._supports_sdpa else "eager")
        self.model.config.use_cache = False
        if position_read(self.model) is not None and not serves_one_position(self.model):
            serve_one_position(self.model)
        self.names = names
        self.train(False)

    @override
    def forward(self, *values: Tensor) -> Tensor:
        first: Tensor = self._run(values)[0]
        return first

    def output_name(self, values: tuple[Tensor, ...]) -> str:
        return str(next(iter(self._run(values).keys())))

    def _run(self, values: tuple[Tensor, ...]) -> Any:
        return forward(self.model, dict(zip(self.names, values, strict=True)), return_dict=True)
