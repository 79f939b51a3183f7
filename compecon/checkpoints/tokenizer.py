"""Loading a tokenizer: ours as it is, any other from a clean copy that a limited child process tried first."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from compecon.checkpoints.digest import combined
from compecon.checkpoints.files import parse_json
from compecon.checkpoints.intake import Survey
from compecon.checkpoints.panics import panics_as_errors, reason
from compecon.checkpoints.small_files import read_small_file
from compecon.checkpoints.tokenizer_trial import try_tokenizer
from compecon.errors import CheckpointError

_tried: set[str] = set()  # digests of the tokenizers that passed their trial in this process


def load_tokenizer(survey: Survey, *, trusted: bool) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a surveyed checkpoint.

    Args:
        survey: The checkpoint.
        trusted: Whether it is one of ours; any other tokenizer is first tried in a child process, which takes seconds.

    Raises:
        CheckpointError: If it cannot be loaded, or hangs or explodes when tried.
    """
    if trusted:
        return _load(survey.root.folder)
    with _clean_copy(survey) as folder:
        key = combined(survey.small_files)
        if key not in _tried:
            try_tokenizer(folder)
            _tried.add(key)
        tokenizer = _load(folder)
    tokenizer.name_or_path = str(survey.root.folder)
    return tokenizer


@contextmanager
def _clean_copy(survey: Survey) -> Iterator[Path]:
    """A private folder with the tokenizer's files alone: what was checked is what is loaded, and links are gone.

    Chat templates are left out: they are programs, and nothing here chats. So are paths, which would lead elsewhere.
    """
    with tempfile.TemporaryDirectory(prefix="compecon-tokenizer-") as folder:
        for name in survey.small_files:
            content = read_small_file(survey.root, name)
            if name == "tokenizer_config.json":
                settings = parse_json(content, name)
                kept = {key: value for key, value in settings.items() if not _leads_elsewhere(key)}
                content = json.dumps(kept).encode()
            (Path(folder) / name).write_bytes(content)
        yield Path(folder)


def _leads_elsewhere(key: str) -> bool:
    return key in ("chat_template", "name_or_path") or key.endswith(("_file", "_path"))


def _load(folder: Path) -> PreTrainedTokenizerBase:
    try:
        with panics_as_errors():
            return AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise CheckpointError(
            f"The tokenizer cannot be loaded: {reason(error)}. Save it again with tokenizer.save_pretrained(folder)."
        ) from error
