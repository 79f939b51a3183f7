"""The simulated GPU refuses what a real one refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.support.simulated_device import OnDevice, simulated_device


def test_a_mix_of_devices_is_refused() -> None:
    with simulated_device() as device:
        there = torch.ones(2, 3).to(device)
        for mix in (
            lambda: there + torch.ones(2, 3),
            lambda: torch.cat([there, torch.ones(1, 3)]),
            lambda: torch.where(torch.ones(2, 3, dtype=torch.bool), there, 0.0),
            lambda: nn.Linear(3, 2)(there),
        ):
            with pytest.raises(RuntimeError, match="same device"):
                mix()
        with pytest.raises(TypeError, match=r"Tensor\.cpu"):
            there.numpy()


def test_numbers_are_real_and_gradients_reach_the_parameters() -> None:
    torch.manual_seed(0)
    layer, given = nn.Linear(3, 2), torch.randn(4, 3)
    expected = torch.autograd.grad(layer(given).square().sum(), layer.weight)[0]
    with simulated_device() as device:
        there = nn.Linear(3, 2).to(device)
        there.load_state_dict(layer.state_dict())
        there(given.to(device)).square().sum().backward()
        assert isinstance(there.weight.grad, OnDevice)
        assert there.weight.grad.device == device
        torch.testing.assert_close(there.weight.grad.cpu(), expected)
        assert (given.to(device) > 0).any() == bool((given > 0).any())
    assert not torch.cuda.is_available() or torch.version.cuda is not None
