"""Loading a tokenizer: ours into this process, any other into a limited one of its own for as long as it is used."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from weakref import WeakValueDictionary

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from compecon.checkpoints.gate.folder_files import parse_json
from compecon.checkpoints.gate.intake import Survey
from compecon.checkpoints.gate.record import combined
from compecon.checkpoints.gate.sentencepiece_file import check_sentencepiece_files
from compecon.checkpoints.gate.small_files import CONFIG, TOKENIZER_FILES, read_small_file
from compecon.checkpoints.tokenizers.foreign import ForeignTokenizer, foreign_process
from compecon.checkpoints.tokenizers.panics import panics_as_errors, reason
from compecon.children.limited import LimitedProcess
from compecon.children.messages import Message
from compecon.errors import CheckpointError, ChildError
from compecon.paths import assets

_probed: set[str] = set()  # digests of the tokenizers that stood their probes in this process
_processes: WeakValueDictionary[str, LimitedProcess] = WeakValueDictionary()  # by digest: two models share one


def load_tokenizer(survey: Survey, *, trusted: bool) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a surveyed checkpoint.

    A trusted checkpoint is one of ours. A tokenizer whose files are those of a bundled one is ours too; any other is
    loaded into a process of its own, which takes a second, and first reads texts that set off its rules.

    Raises:
        CheckpointError: If it cannot be loaded, or hangs or explodes on those texts.
    """
    if trusted:
        return _load(survey.root.folder)
    own = {name: digest for name, digest in survey.small_files.items() if name != CONFIG}
    files = {name: _clean(name, read_small_file(survey.root, name)) for name in survey.small_files}
    check_sentencepiece_files(files)
    if combined(own) in _bundled():
        tokenizer = _loaded_here({name: files[name] for name in own})
    else:
        tokenizer = _loaded_apart(files, combined(survey.small_files))
    tokenizer.name_or_path = str(survey.root.folder)
    return tokenizer


def _clean(name: str, content: bytes) -> bytes:
    """A file as it is passed to the tokenizer's library: what was checked is what is loaded, and links are gone.

    Chat templates are left out: they are programs, and nothing here chats. So are paths, which would lead elsewhere.
    """
    if name != "tokenizer_config.json":
        return content
    settings = parse_json(content, name)
    return json.dumps({key: value for key, value in settings.items() if not _leads_elsewhere(key)}).encode()


def _leads_elsewhere(key: str) -> bool:
    return key in ("chat_template", "name_or_path") or key.endswith(("_file", "_path"))


@cache
def _bundled() -> frozenset[str]:
    """Digests of the bundled tokenizers: a checkpoint that was trained from a bundled one has its tokenizer."""
    found = set()
    for folder in (assets() / "checkpoints").glob("*"):
        present = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
        found.add(combined({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in present}))
    return frozenset(found - {combined({})})


def _loaded_apart(files: Mapping[str, bytes], digest: str) -> PreTrainedTokenizerBase:
    process = _processes.get(digest) or foreign_process(files)
    try:
        said = process.ask(Message({"ask": "load"})).body
        if digest not in _probed:
            process.ask(Message({"ask": "probe"}))
    except ChildError as error:
        raise CheckpointError(
            f"The tokenizer cannot be used: {error}. It hangs, explodes or is damaged. Save it again with "
            "tokenizer.save_pretrained(folder), or use another checkpoint."
        ) from error
    _probed.add(digest)
    _processes[digest] = process
    return ForeignTokenizer(process, said)


def _loaded_here(files: Mapping[str, bytes]) -> PreTrainedTokenizerBase:
    with tempfile.TemporaryDirectory(prefix="compecon-tokenizer-") as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        return _load(Path(folder))


def _load(folder: Path) -> PreTrainedTokenizerBase:
    try:
        with panics_as_errors():
            return AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise CheckpointError(
            f"The tokenizer cannot be loaded: {reason(error)}. Save it again with tokenizer.save_pretrained(folder)."
        ) from error
