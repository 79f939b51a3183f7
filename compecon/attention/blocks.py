"""The ``with`` blocks a thread is in, and what each of them wants from a model's attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import get_ident
from typing import final

import torch
from torch import nn

from compecon.attention.attention_modules import AttentionModule
from compecon.attention.budget import Budget
from compecon.attention.policies.policy import Policy
from compecon.attention.recorded import LayerAttention, Stack
from compecon.errors import UnsupportedModelError


@final
@dataclass(slots=True)
class ForwardPass:
    """How far a thread's forward pass has come."""

    depth: int = 0  # how many of the model's modules that hold its attention are at work, one in another
    calls: Counter[Stack] = field(default_factory=Counter)
    first_query: int = 0  # of the latest self-attention: cross-attention is not given where its queries stand


@final
@dataclass(eq=False)
class Block:
    """One ``with`` block, seen only by the threads and tasks that run inside it."""

    model: nn.Module
    places: Mapping[nn.Module, AttentionModule]
    budget: Budget | None = None
    policy: Policy | None = None
    seen: list[LayerAttention] | None = None
    layers: Collection[int] | None = None
    called: bool = field(default=False, init=False)  # the model ran in the block ...
    reached: bool = field(default=False, init=False)  # ... and asked for its attention here
    missed: bool = field(default=False, init=False)  # its attention ran in a thread that is not in the block
    passes: dict[int, ForwardPass] = field(default_factory=dict, init=False)  # by thread
    holders: set[nn.Module] = field(init=False)  # whose call begins a forward pass

    def __post_init__(self) -> None:
        self.holders = {self.model}
        if any(place.layer is None for place in self.places.values()):  # counting has to begin anew for any part
            self.holders |= {part for part in self.model.modules() if not self.places.keys().isdisjoint(part.modules())}

    def enter(self) -> None:
        """Called when a module that holds the attention starts; the outermost begins a forward pass."""
        if not self.forward_pass().depth:
            self.called = True
            self.passes[get_ident()] = ForwardPass()
        self.forward_pass().depth += 1

    def leave(self) -> None:
        """Called when such a module has ended."""
        self.forward_pass().depth -= 1

    def arrive(self, module: nn.Module) -> tuple[Stack, int]:
        """An attention module is reached: which layer of which stack it is now.

        Raises:
            UnsupportedModelError: If a backward pass computes the attention of shared layers anew.
        """
        stack, layer = self.places[module]
        if layer is None and in_backward():
            raise UnsupportedModelError(
                f"{type(self.model).__name__} uses one attention module for several layers, and a backward pass that "
                "recomputes them cannot know which; switch gradient checkpointing off."
            )
        calls = self.forward_pass().calls
        nth = calls[stack]
        calls[stack] += 1
        self.reached = True
        return stack, nth if layer is None else layer

    def forward_pass(self) -> ForwardPass:
        """This thread's."""
        return self.passes.setdefault(get_ident(), ForwardPass())


_open: ContextVar[tuple[Block, ...]] = ContextVar("compecon_attention_blocks", default=())
_everywhere: dict[Block, int] = {}  # those of all threads, oldest first, and each one's thread


def open_blocks() -> tuple[Block, ...]:
    """The blocks around this line, outermost first."""
    return _open.get()


@contextmanager
def inside(block: Block) -> Iterator[None]:
    """Open ``block`` for this thread.

    Raises:
        UnsupportedModelError: At the end, if the model ran without asking for its attention here, or only in threads
            that are not in the block.
    """
    token = _open.set((*_open.get(), block))
    hooks = [part.register_forward_pre_hook(_enter) for part in block.holders]
    hooks += [part.register_forward_hook(_leave, always_call=True) for part in block.holders]
    _everywhere[block] = get_ident()
    try:
        yield
    finally:
        del _everywhere[block]
        for hook in hooks:
            hook.remove()
        _open.reset(token)
    if block.missed and not block.reached:
        raise UnsupportedModelError(
            f"{type(block.model).__name__} ran in another thread than the block around it: nothing was budgeted or "
            "recorded. Open the block in the thread that runs the model, or use asyncio.to_thread or "
            "contextvars.copy_context().run, which carry it over."
        )
    if block.called and not block.reached:
        raise UnsupportedModelError(
            f"{type(block.model).__name__} ran without asking for its attention here: nothing was budgeted or recorded."
        )


def blocks_of(module: nn.Module) -> list[Block]:
    """The blocks that the attention of ``module`` runs in now, outermost first.

    On a GPU, a backward pass runs in a thread of its own. What it computes anew (gradient checkpoints) belongs to the
    blocks of the thread that waits for it.

    Raises:
        UnsupportedModelError: If the module runs outside of a block that is bound to be meant: a replica of its model
            runs (``nn.DataParallel``), or a backward pass may be that of several threads.
    """
    blocks = [block for block in open_blocks() if module in block.places]
    if blocks or not _everywhere:
        return blocks
    elsewhere = list(_everywhere.items())
    if getattr(module, "_is_replica", False):
        _refuse_replica(module, elsewhere)
    missed = {block: thread for block, thread in elsewhere if module in block.places}
    if missed and in_backward():
        if len(set(missed.values())) > 1:
            raise UnsupportedModelError(
                f"a backward pass recomputes {type(module).__name__} in a thread of its own, while several threads "
                "have blocks on the model; train one at a time, or switch gradient checkpointing off."
            )
        return list(missed)
    for block in missed:
        block.missed = True
    return []


def _refuse_replica(replica: nn.Module, elsewhere: list[tuple[Block, int]]) -> None:
    hooks = replica._forward_pre_hooks  # a replica is a shallow copy
    for block, _ in elsewhere:
        if any(module._forward_pre_hooks is hooks for module in block.places):
            raise UnsupportedModelError(
                f"{type(block.model).__name__} runs as replicas in threads of their own (nn.DataParallel), outside the "
                "block; use one device, or a process a device (DistributedDataParallel)."
            )


def in_backward() -> bool:
    """Whether autograd is running in this thread."""
    return torch._C._current_graph_task_id() != -1


def _enter(part: nn.Module, _args: object) -> None:
    for block in _open.get():  # of this thread: another one may be running the model outside of any
        if part in block.holders:
            block.enter()


def _leave(part: nn.Module, _args: object, _output: object) -> None:
    for block in _open.get():
        if part in block.holders:
            block.leave()
