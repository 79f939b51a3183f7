"""A device that is not there: tensors that are not on the CPU, are computed by it, and refuse to meet others.

Values are real, so what depends on them (`bool(x.any())`, ties, lengths) runs as it would; `FakeTensorMode` has none.
Every operation on tensors of two devices fails as on a GPU, and so does numpy. The device is called "meta", since a
build of torch without CUDA has no autograd for "cuda", and code that asks for a CPU cannot tell the two apart.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

NAME = "meta"
_MOVES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class Elsewhere(Tensor):
    """What lies there; ``inner`` is on the CPU."""

    inner: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> Elsewhere:
        sizes = {"strides": inner.stride(), "storage_offset": inner.storage_offset(), "dtype": inner.dtype}
        return Tensor._make_wrapper_subclass(cls, inner.shape, **sizes, device=torch.device(NAME))

    def __init__(self, inner: Tensor) -> None:
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class Device(TorchDispatchMode):
    """Within, the device is there."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, Tensor)]
    there = any(isinstance(value, Elsewhere) for value in tensors)
    if there and func not in _MOVES and any(not isinstance(value, Elsewhere) and value.dim() for value in tensors):
        raise RuntimeError(f"Expected all tensors to be on the same device, but {func} got two.")
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]).type == NAME
        kwargs = {**kwargs, "device": torch.device("cpu")}
    if func is torch.ops.aten.copy_.default:
        there = isinstance(args[0], Elsewhere)
    result = func(*tree_map(_inner, args), **tree_map(_inner, kwargs))
    if not there:
        return result
    changed = {id(value.inner): value for value in tensors if isinstance(value, Elsewhere)}  # in place
    return tree_map(lambda value: _outer(value, changed), result)


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, Elsewhere) else value


def _outer(value: Any, changed: dict[int, Elsewhere]) -> Any:
    if not isinstance(value, Tensor):
        return value
    return changed[id(value)] if id(value) in changed else Elsewhere(value)
