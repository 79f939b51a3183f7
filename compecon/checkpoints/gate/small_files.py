"""The small files of a checkpoint: its config, its tokenizer, its card."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from compecon.checkpoints.gate.config_check import check_code, check_config
from compecon.checkpoints.gate.folder_files import Root, parse_json
from compecon.checkpoints.gate.remembered import remembered
from compecon.errors import CheckpointError
from compecon.files.safe_reader import MEGABYTE, decode, read_stream

TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
)  # fmt: skip
CONFIG = "config.json"
ELASTIC = "elastic.safetensors"  # order and costs of the units of an elastic model
_SETTINGS = "tokenizer_config.json"
_VOCABULARIES = frozenset(TOKENIZER_FILES) - {_SETTINGS, "special_tokens_map.json", "added_tokens.json"}
_TOKENIZER_LIMIT = 64 * MEGABYTE
_LIMITS = {CONFIG: MEGABYTE, _SETTINGS: 8 * MEGABYTE}
_CARD = "README.md"
_CARD_HEADER = 65_536  # bytes
_LICENCE = re.compile(rb"^license:[ \t]*[\"']?([A-Za-z0-9.+-]{1,60})", re.MULTILINE)


def read_small_file(root: Root, name: str) -> bytes:
    """Content of the config or of one of a tokenizer's files, up to the size accepted for it."""
    return root.read(name, _limit(name))


def read_config(root: Root) -> Mapping[str, Any]:
    """The checked content of the config, shared by all callers, which must not change it."""
    return _config(root.locate(CONFIG), CONFIG)


def small_file_digests(root: Root) -> dict[str, str]:
    """Name to sha256 of the config and the tokenizer's files; refused if either is absent or asks for code."""
    if not root.has(CONFIG):
        raise CheckpointError(f"{root.folder} has no {CONFIG}. Give a folder written by save_pretrained.")
    names = [name for name in (CONFIG, ELASTIC, *TOKENIZER_FILES) if root.has(name)]
    if _VOCABULARIES.isdisjoint(names):
        raise CheckpointError(
            f"{root.folder.name} has no tokenizer (no tokenizer.json). Add it: tokenizer.save_pretrained(folder)."
        )
    return {name: _digest(root.locate(name), name) for name in names}


def licence_of(root: Root) -> str | None:
    """The ``license`` of the card's YAML header; a card that cannot be read says nothing."""
    if not root.has(_CARD):
        return None
    try:
        with root.open(_CARD) as stream:
            card = stream.read(_CARD_HEADER)
    except CheckpointError:
        return None
    if not card.startswith(b"---"):
        return None
    found = _LICENCE.search(card.split(b"\n---", 1)[0])
    return found[1].decode("ascii") if found else None


def _limit(name: str) -> int:
    return _LIMITS.get(name, _TOKENIZER_LIMIT)


@remembered
def _config(stream: BinaryIO, name: str) -> Mapping[str, Any]:
    content = parse_json(read_stream(stream, _limit(name), name, error=CheckpointError), name)
    check_config(content)
    return content


@remembered
def _digest(stream: BinaryIO, name: str) -> str:
    content = read_stream(stream, _limit(name), name, error=CheckpointError)
    if name.endswith(".json"):
        decode(content, name, error=CheckpointError)
    if name == _SETTINGS:
        check_code(parse_json(content, name), name)
    return hashlib.sha256(content).hexdigest()
