"""The phases of a training: one that has ended is not trained again when a later one is resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from safetensors.torch import load_model, save_model

from compecon.errors import CheckpointError, NewerError
from compecon.files.complete import SCHEMA, described, matches, read_stated, set_aside, write_stated
from compecon.files.durable import flush_file, write_text
from compecon.files.safe_reader import parse_object, read_bytes, shown
from compecon.files.schema import check_beginning
from compecon.training.processes import is_first
from compecon.training.training_settings import FineTuneResult

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from compecon.training.trainer import Charge

_MOST_BYTES = 10_000_000
_WEIGHTS, _ENDED = "ended.safetensors", "ended.json"


def claim(path: Path, stated: Mapping[str, Any]) -> None:
    """Write down what sets a training apart from others, or make sure that it is the one that was written down."""
    plainly = json.loads(json.dumps(stated, default=str))
    if not path.exists():
        write_stated(path, plainly)
    elif read_stated(path) != plainly:
        raise CheckpointError(
            f"{path.parent} holds a training with other settings. Remove it to start over, or choose another folder."
        )


@final
@dataclass(frozen=True)
class Phase:
    """A part of a training whose end is kept."""

    folder: Path | None  # where its end is kept; None not to keep it
    stated: Mapping[str, Any]  # the phase's settings, JSON values; a folder with the end of another phase is refused

    def run(
        self, model: PreTrainedModel, train: Callable[[], FineTuneResult], charge: Charge | None = None
    ) -> FineTuneResult:
        """Train, or give the model (and its gates) and the price what they had at the end of the phase.

        Args:
            model: What `train` changes.
            train: Called to train.
            charge: Whose price `train` moves.

        Returns:
            Without a history if the phase had ended before. An end that is damaged does not count: `train` is called,
            and goes on from the checkpoints it has.

        Raises:
            CheckpointError: If the folder holds another phase.
        """
        if self.folder is None:
            return train()
        ended = self._ended(self.folder)
        if ended is not None:
            load_model(model, str(self.folder / _WEIGHTS))
            if charge is not None:
                charge.price = replace(charge.price, value=ended.price)
            return FineTuneResult(ended.steps, ended.seconds, ())
        result = train()
        if not is_first():
            return result
        self.folder.mkdir(parents=True, exist_ok=True)
        weights = self.folder / _WEIGHTS
        save_model(model, str(weights))
        flush_file(weights)
        price = None if charge is None else charge.price.value
        end = {"steps": result.steps, "seconds": result.seconds, "price": price, "weights": described(weights)}
        write_text(self.folder / _ENDED, json.dumps({"schema": SCHEMA, "stated": self._said(), **end}, indent=1))
        return result

    def _ended(self, folder: Path) -> _Ended | None:
        """How the phase ended, if it did and its weights are whole; a damaged end is set aside, to be reached again."""
        path = folder / _ENDED
        try:
            raw = read_bytes(path, _MOST_BYTES)
            check_beginning(raw, SCHEMA, shown(path))
            end = parse_object(raw, shown(path))
            same = end["stated"] == self._said()
            ended = _Ended(int(end["steps"]), float(end["seconds"]), end["price"])
            whole = matches(folder / _WEIGHTS, end["weights"])
        except FileNotFoundError:
            return None
        except NewerError:
            raise
        except (OSError, ValueError, KeyError, TypeError):
            same, whole = True, False
        if not same:
            raise CheckpointError(f"{folder} holds a training with other settings. Choose another folder.")
        if not whole:
            if is_first():
                set_aside(path)
            return None
        return ended

    def _said(self) -> Any:
        return json.loads(json.dumps(dict(self.stated)))


@dataclass(frozen=True)
class _Ended:
    steps: int
    seconds: float
    price: Any  # a number, or None without a charge
