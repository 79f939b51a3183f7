"""Reading what a bundled checkpoint stores, without the gate."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from compecon.checkpoints.bundle import WEIGHTS, read_manifest


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Every tensor of a bundled checkpoint, the shared ones in their places, as float32."""
    state = load_file(folder / WEIGHTS)
    for name, source in read_manifest(folder).get("shared", {}).items():
        state[name] = load_file(folder / source["file"])[source["tensor"]]
    return {name: value.float() for name, value in state.items()}
