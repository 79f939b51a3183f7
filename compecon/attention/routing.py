"""Whether an architecture can be budgeted at all, judged by transformers' source text alone.

Nothing here imports torch or transformers, so a page can say so before it loads a model. After loading,
:func:`compecon.attention.hooks.require_routed` looks closer.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

_ATTENTION_LAYER = re.compile(r"^class \w*Attention\w*\(", re.MULTILINE)
_ASKS_THE_INTERFACE = re.compile(r"ALL_ATTENTION_FUNCTIONS(\.get_interface\(|\[self\.config)")
_TWO_STACKS = re.compile(r"^ +(self\.)?is_encoder_decoder\b[^=\n]*= *True", re.MULTILINE)
_MODEL_TYPE = re.compile(r"""^    model_type(?:\s*:\s*[^=]+)?\s*=\s*["']([^"']+)["']""", re.MULTILINE)


@lru_cache(maxsize=512)
def is_routed(model_type: str) -> bool | None:
    """Whether an architecture computes attention through transformers' attention interface.

    Args:
        model_type: As in ``config.json``, such as "bert".

    Returns:
        ``None`` if the installed transformers does not know the architecture, or it has no attention of its own (a
        composition of other models): only loading it tells.

    Examples:
        >>> is_routed("bert"), is_routed("mpnet"), is_routed("no-such-model")
        (True, False, None)
    """
    folder = _folder_of(model_type)
    if folder is None:
        return None
    sources = [path.read_text(encoding="utf-8") for path in folder.glob("modeling_*.py")]
    if any(_ASKS_THE_INTERFACE.search(source) for source in sources):
        return True
    return False if any(_ATTENTION_LAYER.search(source) for source in sources) else None


@lru_cache(maxsize=512)
def is_encoder_decoder(model_type: str) -> bool:
    """Whether an architecture has an encoder and a decoder where its config does not say so.

    Examples:
        >>> is_encoder_decoder("t5"), is_encoder_decoder("bert")
        (True, False)
    """
    folder = _folder_of(model_type)
    sources = [] if folder is None else [path.read_text(encoding="utf-8") for path in folder.glob("configuration_*.py")]
    return any(_TWO_STACKS.search(source) for source in sources)


def _folder_of(model_type: str) -> Path | None:
    """Folder of the architecture: named after it, but for a few."""
    models = _models_folder()
    if models is None:
        return None
    named_alike = models / re.sub(r"\W", "_", model_type)
    if (named_alike / f"configuration_{named_alike.name}.py").is_file():
        return named_alike
    return _folders_by_type(models).get(model_type)


@cache
def _folders_by_type(models: Path) -> dict[str, Path]:
    return {
        model_type: path.parent
        for path in sorted(models.glob("*/configuration_*.py"))
        for model_type in _MODEL_TYPE.findall(path.read_text(encoding="utf-8"))
    }


def _models_folder() -> Path | None:
    spec = find_spec("transformers")  # finds the package without running it
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models"
