"""Whether a SentencePiece file is complete, by its bytes: what reads a damaged one blames something else."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from compecon.errors import CheckpointError

_VOCABULARIES = frozenset({"tokenizer.json", "vocab.json", "vocab.txt"})  # without these, a .model file is read
_PIECES = 1  # field of the model's message: a piece of a word
_LAST_FIELD = 5
_LENGTH_DELIMITED = 2


def check_sentencepiece_files(files: Mapping[str, bytes]) -> None:
    """Check the files that a tokenizer can only be read from, as `check_sentencepiece` does."""
    if not _VOCABULARIES & files.keys():
        for name, content in files.items():
            if name.endswith(".model"):
                check_sentencepiece(content, name)


def check_sentencepiece(content: bytes, name: str) -> None:
    """Refuse a damaged file, or one that nothing here can read; text passes, as a list of tokens (tiktoken) may."""
    if content and content.isascii() and content[:1].isalnum():
        return
    if not _is_whole(content):
        raise CheckpointError(
            f"{name} is damaged: it is not a SentencePiece model, or not all of one. Download it again, or save the "
            "tokenizer as tokenizer.json."
        )
    if find_spec("sentencepiece") is None:
        raise CheckpointError(
            f"The tokenizer is in {name}, which only the package sentencepiece reads. Run `pip install sentencepiece "
            "protobuf`, or save the tokenizer as tokenizer.json."
        )


def _is_whole(content: bytes) -> bool:
    """Whether the bytes are fields of a SentencePiece model, one after the other to the end, and one is a piece."""
    place, seen = 0, set()
    while place < len(content):
        tag, place = _number(content, place)
        length, place = _number(content, place)
        if tag & 7 != _LENGTH_DELIMITED or not 1 <= tag >> 3 <= _LAST_FIELD:
            return False
        seen.add(tag >> 3)
        place += length
    return place == len(content) and _PIECES in seen


def _number(content: bytes, place: int) -> tuple[int, int]:
    """A variable-length number and the position after it; beyond the end where there is none."""
    value = 0
    for step, byte in enumerate(content[place : place + 9]):
        value |= (byte & 127) << (7 * step)
        if byte < 128:
            return value, place + step + 1
    return 0, len(content) + 1
