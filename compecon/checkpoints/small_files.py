"""The small files of a checkpoint: its config, its tokenizer, its card."""

from __future__ import annotations

import hashlib
import re

from compecon.checkpoints.config import check_code
from compecon.checkpoints.files import MEGABYTE, Root, parse_json
from compecon.errors import CheckpointError

TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
)  # fmt: skip
CONFIG = "config.json"
_SETTINGS = "tokenizer_config.json"
_VOCABULARIES = frozenset(TOKENIZER_FILES) - {_SETTINGS, "special_tokens_map.json", "added_tokens.json"}
_TOKENIZER_LIMIT = 64 * MEGABYTE
_CARD_LIMIT = 4 * MEGABYTE
_LICENCE = re.compile(rb"^license:[ \t]*[\"']?([A-Za-z0-9.+-]{1,60})", re.MULTILINE)


def read_small_file(root: Root, name: str) -> bytes:
    """Content of the config or of one of a tokenizer's files, up to the size accepted for it."""
    return root.read(name, MEGABYTE if name == CONFIG else _TOKENIZER_LIMIT)


def small_file_digests(root: Root) -> dict[str, str]:
    """Name to sha256 of the config and of the tokenizer's files.

    Raises:
        CheckpointError: If there is no config or no tokenizer, or if the tokenizer asks for code.
    """
    if not root.has(CONFIG):
        raise CheckpointError(f"{root.folder} has no {CONFIG}. Give a folder written by save_pretrained.")
    names = [name for name in (CONFIG, *TOKENIZER_FILES) if root.has(name)]
    if _VOCABULARIES.isdisjoint(names):
        raise CheckpointError(
            f"{root.folder.name} has no tokenizer (no tokenizer.json). Add it: tokenizer.save_pretrained(folder)."
        )
    if _SETTINGS in names:
        check_code(parse_json(read_small_file(root, _SETTINGS), _SETTINGS), _SETTINGS)
    return {name: hashlib.sha256(read_small_file(root, name)).hexdigest() for name in names}


def licence_of(root: Root) -> str | None:
    """The ``license`` of the card's YAML header; a card that cannot be read says nothing."""
    if not root.has("README.md"):
        return None
    try:
        card = root.read("README.md", _CARD_LIMIT)
    except CheckpointError:
        return None
    if not card.startswith(b"---"):
        return None
    found = _LICENCE.search(card.split(b"\n---", 1)[0])
    return found[1].decode("ascii") if found else None
