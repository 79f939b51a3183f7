"""Our attention function in a model's configuration while a block is open, and what was found there before and after.

The name says what was found, so that outside of the blocks (in another thread, in a copy of the model) everything is
computed as found, whenever the name comes and goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock

from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedConfig

from compecon.attention.interface import attention_forward, make_mask

_found: dict[str, str] = {}  # by our name
_users: Counter[int] = Counter()  # open blocks, by the identity of a configuration; some models share one
_lock = Lock()


@contextmanager
def installed(configs: Iterable[PreTrainedConfig]) -> Iterator[None]:
    """Route attention through this package; the last block that ends gives back what the first one found."""
    all_of_them = _with_parts(configs)
    with _lock:
        for config in all_of_them:
            _users[id(config)] += 1
            if config._attn_implementation not in _found:
                _write(config, _name_for(config._attn_implementation))
    try:
        yield
    finally:
        with _lock:
            for config in all_of_them:
                _users[id(config)] -= 1
                if not _users[id(config)]:
                    del _users[id(config)]
                    _write(config, _found.get(config._attn_implementation, config._attn_implementation))


def _with_parts(configs: Iterable[PreTrainedConfig]) -> list[PreTrainedConfig]:
    """The configurations and those inside them, each once, which have an attention implementation."""
    found: dict[int, PreTrainedConfig] = {}
    waiting = list(configs)
    while waiting:
        config = waiting.pop()
        if id(config) not in found:
            found[id(config)] = config
            inner = (getattr(config, name, None) for name in config.sub_configs)
            waiting.extend(part for part in inner if isinstance(part, PreTrainedConfig))
    return [config for config in found.values() if config._attn_implementation is not None]


def _write(config: PreTrainedConfig, name: str) -> None:
    config._attn_implementation = {"": name}  # this one alone, not the configurations in it


def _name_for(found: str) -> str:
    for name, before in _found.items():
        if before == found:
            return name
    name = f"compecon_{len(_found)}"  # not "flash" or "paged", from which models conclude
    # A name without a mask function gets no mask at all: padding and the future would be read in silence.
    AttentionMaskInterface.register(name, partial(make_mask, found=found))
    AttentionInterface.register(name, partial(attention_forward, found=found))
    _found[name] = found
    return name
