"""Each test runs on a simulated GPU or the CPU everywhere, and under `-m gpu` on the GPUs that this machine has."""

from __future__ import annotations

import os

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA is first used: sums in one order

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch

from tests.support.simulated_device import simulated_device

_REAL = [pytest.param("cuda", marks=pytest.mark.gpu), pytest.param("mps", marks=pytest.mark.gpu)]


@pytest.fixture(params=["simulated", *_REAL])
def device(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """A device that is not the CPU."""
    with simulated_device() if request.param == "simulated" else nullcontext(_real(request.param)) as there:
        yield there


@pytest.fixture(params=["cpu", *_REAL])
def anywhere(request: pytest.FixtureRequest) -> torch.device:
    """A device, the CPU too: for what a simulation has not, such as memory and files."""
    return torch.device("cpu") if request.param == "cpu" else _real(request.param)


def _real(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    if name == "mps" and not torch.backends.mps.is_available():
        pytest.skip("this machine has no MPS device")
    return torch.device(name, 0)
