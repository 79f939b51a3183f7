"""A model as users will have it: saved and loaded again. What is reported of a model is measured on this."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from compecon.checkpoints.load import Checkpoint, load_of_bundle
from compecon.checkpoints.save import save_checkpoint

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from compecon.compression.elastic.price_list import PriceList

MODELS = "models"  # folder of an experiment with the models that it measured


def kept_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, name: str) -> Checkpoint:
    """Keep a model of an experiment in `models/<name>`, in float32, and load it from there.

    It can be measured again at any time: the folder is an ordinary checkpoint. A model that an interrupted run kept
    under the same name is replaced.
    """
    path = folder / MODELS / name
    shutil.rmtree(path, ignore_errors=True)
    return load_of_bundle(save_checkpoint(model, tokenizer, path), str(model.device))


@contextmanager
def reloaded(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, near: Path, prices: PriceList | None = None
) -> Iterator[Checkpoint]:
    """A model as it will be once it is saved, from a folder beside `near` that lasts as long as the context."""
    near.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=near.parent, prefix=f".{near.name}-") as scratch:
        yield load_of_bundle(
            save_checkpoint(model, tokenizer, Path(scratch) / "model", prices=prices), str(model.device)
        )
