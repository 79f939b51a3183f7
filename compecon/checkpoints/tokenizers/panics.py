"""Panics of the Rust code under the tokenizers: to Python a BaseException, which no ``except Exception`` stops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class PanicError(Exception):
    """The tokenizer's own code broke down."""


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Turn a panic into a :class:`PanicError`; let everything else through, Ctrl-C above all."""
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the class is private to each Rust extension
            raise
        raise PanicError("its own code broke down") from error


def reason(error: BaseException) -> str:
    """First line of an error's message, or its class where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
