"""A GPU that is not there: tensors that say they are on ``cuda:0``, hold real numbers, and refuse a mix of devices.

PyTorch's own ``FakeTensorMode`` simulates devices too, but without numbers, so that a branch on a value, a NaN check or
a training step ends there. Here every operation runs on the CPU tensor inside, so results can be compared with those of
the CPU, and all that asks for ``tensor.device.type`` takes the way it takes on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

_ops = torch.ops.aten
_DEVICE = torch.device("cuda", 0)
_CROSSING = {_ops._to_copy.default, _ops.copy_.default}  # what carries numbers from one device to another
_INDEXING = {  # CUDA takes indices that lie on the CPU
    _ops.index.Tensor, _ops.index_put.default, _ops.index_put_.default, _ops._index_put_impl_.default,
}  # fmt: skip


_SETTLED: dict[str, Any] = {  # what libraries ask a CUDA build and its driver
    "_lazy_init": lambda: None,
    "is_available": lambda: True,
    "is_bf16_supported": lambda *_, **__: True,
    "device_count": lambda: 1,
    "current_device": lambda: 0,
    "set_device": lambda _: None,
    "synchronize": lambda *_: None,
    "empty_cache": lambda: None,
    "manual_seed_all": lambda _: None,
    "manual_seed": lambda _: None,
    "get_device_name": lambda *_: "simulated",
    "get_device_capability": lambda *_: (8, 0),
}
_DICE: dict[str, Any] = {  # there is one generator, the CPU's
    "get_rng_state": lambda *_: torch.random.get_rng_state(),
    "get_rng_state_all": lambda: [torch.random.get_rng_state()],
    "set_rng_state": lambda *_: None,
    "set_rng_state_all": lambda _: None,
}


def _no_gradients(mode: Any) -> None:
    """Stand in for inference mode, of whose tensors no wrapper can be made."""
    mode.before = torch.is_grad_enabled()
    torch._C._set_grad_enabled(not mode.mode)


def _gradients_again(mode: Any, *_: Any) -> None:
    torch._C._set_grad_enabled(mode.before)


def _to(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """Name the device by its number: without one, a CPU build looks for a driver."""
    args = tuple(_numbered(each) for each in args)
    return torch._C.TensorBase.to(tensor, *args, **{name: _numbered(each) for name, each in kwargs.items()})


def _numbered(value: Any) -> Any:
    return _DEVICE if isinstance(value, str | torch.device) and str(value) == "cuda" else value


def _of_tensors(index: Any) -> Any:
    """Lists as tensors: of a list, torch makes one on the device that it takes the wrapper's for, without numbers."""
    if isinstance(index, tuple):
        return tuple(map(_of_tensors, index))
    return torch.tensor(index) if isinstance(index, list) else index


class OnDevice(torch.Tensor):
    """A tensor of the simulated device; ``held`` is where its numbers are."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> OnDevice:
        tensor = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device="meta",
        )
        tensor.held = held
        return tensor

    @property
    def device(self) -> torch.device:
        return _DEVICE

    @property
    def is_cuda(self) -> bool:
        return True

    @property
    def is_meta(self) -> bool:
        return False

    def numpy(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first.")

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.numpy()

    def tolist(self) -> Any:
        return self.held.detach().tolist()

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(_of_tensors(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_of_tensors(index), value)

    def __repr__(self) -> str:
        return f"OnDevice({self.held!r})"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


@contextmanager
def simulated_device() -> Iterator[torch.device]:
    """Let this process believe that it has one CUDA device, and give it."""
    torch._C._ensureCUDADeviceGuardSet()  # as FakeTensorMode does on a build without CUDA
    before = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        with (
            mock.patch.multiple(torch.cuda, **_SETTLED),
            mock.patch.multiple(torch.cuda.random, **_DICE),
            mock.patch.object(torch.Tensor, "to", _to),
            mock.patch.multiple(torch.inference_mode, __enter__=_no_gradients, __exit__=_gradients_again),
            _Mode(),
        ):
            yield _DEVICE
    finally:
        torch._C._set_only_lift_cpu_tensors(before)


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
    there = [each for each in tensors if isinstance(each, OnDevice)]
    here = [each for each in tensors if not isinstance(each, OnDevice)]
    if there and func not in _CROSSING | _INDEXING and any(each.dim() for each in here):
        raise RuntimeError(f"Expected all tensors to be on the same device, but {func} got cuda:0 and cpu.")
    asked = kwargs.get("device")
    if (
        not tensors
        and asked is not None
        and torch.device(asked).type == "meta"
        and func is not _ops.scalar_tensor.default
    ):
        return func(*args, **kwargs)  # whoever asks for meta gets it
    if asked is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    # `tensor.to(other)` reads the device where Python's property does not reach: there it is the wrapper's, meta.
    stays = torch.device(asked).type in {"cuda", "meta"} if asked is not None else bool(there)
    held_args, held_kwargs = tree_map(lambda each: each.held if isinstance(each, OnDevice) else each, (args, kwargs))
    result = func(*held_args, **held_kwargs)
    if args and isinstance(args[0], torch.Tensor) and result is held_args[0]:
        return args[0]  # in place
    return tree_map(_placed, result) if stays else result


def _placed(value: Any) -> Any:
    return OnDevice(value) if isinstance(value, torch.Tensor) and not isinstance(value, OnDevice) else value
