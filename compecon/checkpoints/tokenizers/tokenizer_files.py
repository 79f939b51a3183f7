"""A tokenizer as files: what a checkpoint of ours keeps of it."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path

from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from compecon.checkpoints.gate.small_files import TOKENIZER_FILES


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a tokenizer's files, without the length limit that tokenizing a batch leaves behind."""
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        tokenizer.save_pretrained(folder)
        return
    plain = copy.deepcopy(tokenizer)
    plain.backend_tokenizer.no_truncation()
    plain.backend_tokenizer.no_padding()
    plain.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("backend", None)
    config["tokenizer_class"] = "PreTrainedTokenizerFast"  # known to transformers 4 and 5, unlike the name 5 writes
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def saved_files(tokenizer: PreTrainedTokenizerBase, scratch: Path) -> dict[str, bytes]:
    """Name to content of a tokenizer's files, as `save_tokenizer` writes them (in `scratch`, for a moment)."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        save_tokenizer(tokenizer, Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name in TOKENIZER_FILES}
