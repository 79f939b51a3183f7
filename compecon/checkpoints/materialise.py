"""Writing a bundled checkpoint as an ordinary folder that stands alone."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save_file

from compecon.checkpoints.gate.digest import sha256_of
from compecon.checkpoints.gate.folder_files import parse_json
from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.gate.record import RECORD
from compecon.checkpoints.gate.weight_files import SINGLE
from compecon.checkpoints.locate import locate
from compecon.checkpoints.save import require_empty
from compecon.checkpoints.tensors import read_tensors
from compecon.files.safe_reader import MEGABYTE

_CARD = "README.md"


def materialise(source: str | Path, folder: str | Path) -> Path:
    """Copy a checkpoint into a folder that plain transformers opens, with all its tensors in one file.

    Bundled checkpoints keep the tensors that they have in common in one file; this puts them back.

    Args:
        source: As for ``load_checkpoint``, usually a bundled name.
        folder: Where to write; must not exist, or be empty.

    Returns:
        The folder.

    Raises:
        CheckpointError: If the checkpoint does not pass the gate, or the folder has content.
    """
    target = Path(folder).expanduser()
    require_empty(target)
    location = locate(source)
    found = survey(location.path, trusted_root=location.trusted_root)
    tensors, _ = read_tensors(found)
    target.mkdir(parents=True, exist_ok=True)
    for name in (*found.small_files, _CARD):
        if found.root.has(name):
            (target / name).write_bytes(found.root.read(name, 64 * MEGABYTE))
    save_file(tensors, target / SINGLE, metadata={"format": "pt"})
    if found.root.has(RECORD):
        _write_record(parse_json(found.root.read(RECORD, MEGABYTE), RECORD), target)
    return target


def _write_record(content: dict[str, object], target: Path) -> None:
    """The record without what no longer holds: nothing is shared, and the weights file is another."""
    with (target / SINGLE).open("rb") as stream:
        digest = sha256_of(stream)
    kept = {key: value for key, value in content.items() if key != "shared"}
    (target / RECORD).write_text(json.dumps(kept | {"sha256": {SINGLE: digest}}, indent=2) + "\n", encoding="utf-8")
