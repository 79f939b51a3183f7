"""The child's side of a limited process: answers questions until there are none, under limits of the system."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import BinaryIO

import psutil

from compecon.children.limited import Limits
from compecon.children.messages import Message, MessageError, receive, send

_FILE_BYTES = 512 << 20


def serve(answer: Callable[[Message], Message], limits: Limits) -> None:
    """Answer questions from standard input until it ends.

    Call it after all imports: what they took does not count. Standard output is the channel, so it is taken away from
    Python and the libraries.

    Args:
        answer: Answers one; the message of an exception becomes the answer.
        limits: As on the other side, which watches too.
    """
    source, channel = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit_memory(limits)
    _say(channel, Message({"ready": True}))
    while True:
        try:
            question = receive(source, limits.answer_bytes)
        except MessageError:
            return
        _limit_time(limits)
        try:
            said = answer(question)
        except MemoryError:
            said = Message({"error": f"it needs more than {limits.memory_bytes / (1 << 30):.1f} GB of memory"})
        except Exception as error:  # noqa: BLE001 - the answer to the question
            lines = str(error).strip().splitlines()
            said = Message({"error": lines[0][:300] if lines else type(error).__name__})
        _say(channel, said)


def _say(channel: BinaryIO, message: Message) -> None:
    try:
        send(channel, message)
    except OSError:
        sys.exit(0)  # the parent is gone


def _limit_memory(limits: Limits) -> None:
    _set("RLIMIT_AS", psutil.Process().memory_info().vms + limits.memory_bytes)
    _set("RLIMIT_FSIZE", _FILE_BYTES)
    _set("RLIMIT_CORE", 0)


def _limit_time(limits: Limits) -> None:
    """For a child whose parent has died and no longer watches; the next second is the parent's."""
    _set("RLIMIT_CPU", int(sum(psutil.Process().cpu_times()[:2]) + limits.cpu_s) + 2)


def _set(name: str, most: int) -> None:
    """Lower a limit, as far as the platform has it: Windows has none, macOS none on memory."""
    try:
        resource = importlib.import_module("resource")
        kind = getattr(resource, name)
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
    except (ImportError, AttributeError, ValueError, OSError):
        return
