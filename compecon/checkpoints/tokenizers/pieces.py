"""Word pieces as a person reads them: ``##``, ``Ġ`` and ``▁`` taken off, white space and control characters shown."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from transformers import PreTrainedTokenizerBase

_VISIBLE = {" ": "␠", "\n": "⏎", "\r": "␍", "\t": "⇥"}
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp", "Zs"})
_BYTE_FALLBACK = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(frozen=True)
class Spelling:
    """How a tokenizer writes where words begin and end."""

    prefix: str = ""  # what a piece that continues a word starts with, such as ``"##"``; empty for none
    suffix: str = ""  # what the last piece of a word ends with, such as ``"</w>"``; empty for none
    space: str = "▁"  # what represents a space, such as ``"▁"``; empty for none
    byte_level: bool = False  # whether each character of a piece is one byte, as in GPT-2

    def spoken(self, piece: str) -> str | bytes:
        """The text of a piece, with its spaces; bytes where it is only part of a character."""
        if self.byte_level:
            byte_of = _bytes_of_characters()
            is_spelled = all(character in byte_of for character in piece)  # added tokens are plain text
            return _text_or_bytes(bytes(byte_of[character] for character in piece)) if is_spelled else piece
        byte = _BYTE_FALLBACK.fullmatch(piece)
        if byte:
            return _text_or_bytes(bytes.fromhex(byte[1]))
        text = piece.removeprefix(self.prefix) if piece != self.prefix else piece
        text = text.removesuffix(self.suffix) if piece != self.suffix else text
        return text.replace(self.space, " ") if self.space else text

    def shown(self, piece: str) -> str:
        """What to show for a piece; never empty, and nothing in it is invisible or changes the reading direction."""
        text = self.spoken(piece)
        if isinstance(text, bytes):
            return f"⟨{text.hex(' ').upper()}⟩"
        if text.startswith(" ") and text.strip():
            text = text[1:]  # the space before a word is what separates it, not part of what is read
        return "".join(map(_visible, text)) or "⟨⟩"

    def joined(self, pieces: Sequence[str], words: Sequence[int | None]) -> tuple[bool, ...]:
        """Whether each piece continues the word of the one before it; `words` has None for special tokens."""
        return (False, *(self._continues(pieces[i - 1 : i + 1], words[i - 1 : i + 1]) for i in range(1, len(pieces))))

    def _continues(self, pieces: Sequence[str], words: Sequence[int | None]) -> bool:
        if words[0] is None or words[0] != words[1]:
            return False
        if self.prefix:
            return pieces[1].startswith(self.prefix)
        if self.suffix and pieces[0].endswith(self.suffix):
            return False
        before, after = (self.spoken(piece) for piece in pieces)
        return not (before[-1:].isspace() or after[:1].isspace())


def spelling_of(tokenizer: PreTrainedTokenizerBase) -> Spelling:
    """Learn from a tokenizer's decoder how it marks words; sentencepiece's ``▁`` where it does not say."""
    decoder = _decoder_of(tokenizer)
    if decoder is None:
        return Spelling()
    steps = {step.get("type"): step for step in _steps(json.loads(decoder))}
    if "ByteLevel" in steps:
        return Spelling(space="", byte_level=True)
    if "WordPiece" in steps:
        return Spelling(prefix=steps["WordPiece"].get("prefix", "##"), space="")
    if "BPEDecoder" in steps:
        return Spelling(suffix=steps["BPEDecoder"].get("suffix", "</w>"), space="")
    return Spelling()


def _decoder_of(tokenizer: PreTrainedTokenizerBase) -> str | bytes | None:
    """The decoder's settings in JSON; a foreign tokenizer has reported them already."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or backend.decoder is None:
        return getattr(tokenizer, "decoder_state", None)
    state: bytes = backend.decoder.__getstate__()
    return state


def _steps(decoder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield decoder
    for step in decoder.get("decoders", ()):
        yield from _steps(step)


def _text_or_bytes(content: bytes) -> str | bytes:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content


def _visible(character: str) -> str:
    if character in _VISIBLE:
        return _VISIBLE[character]
    return f"⟨U+{ord(character):04X}⟩" if unicodedata.category(character) in _INVISIBLE else character


@cache
def _bytes_of_characters() -> dict[str, int]:
    """GPT-2's alphabet: printable bytes stand for themselves, the others are moved to U+0100 and up, in order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    moved = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(moved)}
