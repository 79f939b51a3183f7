"""The ``with`` blocks a thread is in, and what each of them wants from a model's attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import final

from torch import nn

from compecon.attention.budget import Budget
from compecon.attention.places import Place
from compecon.attention.policy import Policy
from compecon.attention.record import LayerAttention, Stack
from compecon.errors import UnsupportedModelError


@final
@dataclass(eq=False)
class Block:
    """One ``with`` block, seen only by the threads and tasks that run inside it."""

    model: nn.Module
    places: Mapping[nn.Module, Place]
    budget: Budget | None = None
    policy: Policy | None = None
    seen: list[LayerAttention] | None = None
    layers: Collection[int] | None = None
    called: bool = field(default=False, init=False)  # the model ran in the block ...
    reached: bool = field(default=False, init=False)  # ... and asked for its attention here
    calls: Counter[Stack] = field(default_factory=Counter, init=False)  # in this forward pass

    def start(self) -> None:
        """A forward pass begins."""
        self.called = True
        self.calls.clear()

    def arrive(self, module: nn.Module) -> tuple[Stack, int]:
        """An attention module is reached: which layer of which stack it is now."""
        stack, layer = self.places[module]
        nth = self.calls[stack]
        self.calls[stack] += 1
        self.reached = True
        return stack, nth if layer is None else layer


_open: ContextVar[tuple[Block, ...]] = ContextVar("compecon_attention_blocks", default=())


def open_blocks() -> tuple[Block, ...]:
    """The blocks around this line, outermost first."""
    return _open.get()


@contextmanager
def inside(block: Block) -> Iterator[None]:
    """Open ``block`` for this thread.

    Raises:
        UnsupportedModelError: At the end, if the model ran without ever asking for its attention here.
    """
    token = _open.set((*_open.get(), block))
    handle = block.model.register_forward_pre_hook(_note_start)
    try:
        yield
    finally:
        handle.remove()
        _open.reset(token)
    if block.called and not block.reached:
        raise UnsupportedModelError(
            f"{type(block.model).__name__} ran without asking for its attention here: nothing was budgeted or recorded."
        )


def _note_start(model: nn.Module, _args: object) -> None:
    for block in _open.get():  # of this thread: another one may be running the model outside of any
        if block.model is model:
            block.start()
