"""Each test runs on a simulated GPU everywhere, and under `-m gpu` on the ones that this machine has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch

from tests.support.simulated_device import simulated_device


@pytest.fixture(
    params=["simulated", pytest.param("cuda", marks=pytest.mark.gpu), pytest.param("mps", marks=pytest.mark.gpu)]
)
def device(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """A device that is not the CPU."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    if request.param == "mps" and not torch.backends.mps.is_available():
        pytest.skip("this machine has no MPS device")
    with simulated_device() if request.param == "simulated" else nullcontext(torch.device(request.param, 0)) as there:
        yield there
