"""The phases of a training: one that has ended is not trained again when a later one is resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from safetensors.torch import load_model, save_model

from compecon.errors import CheckpointError
from compecon.finetune.settings import FineTuneResult

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from compecon.finetune.trainer import Charge

_WEIGHTS, _ENDED = "ended.safetensors", "ended.json"


@final
@dataclass(frozen=True)
class Phase:
    """A part of a training whose end is kept.

    Attributes:
        folder: Where its end is kept; None not to keep it.
        stated: What the phase was asked for; JSON values. A folder with the end of another phase is refused.
    """

    folder: Path | None
    stated: Mapping[str, Any]

    def run(
        self, model: PreTrainedModel, train: Callable[[], FineTuneResult], charge: Charge | None = None
    ) -> FineTuneResult:
        """Train, or give the model (and its gates) and the price what they had at the end of the phase.

        Args:
            model: What `train` changes.
            train: Does it.
            charge: Whose price `train` moves.

        Returns:
            Without a history if the phase had ended before.

        Raises:
            CheckpointError: If the folder holds another phase, or one that is damaged.
        """
        if self.folder is None:
            return train()
        if (self.folder / _ENDED).is_file():
            return self._taken_up(self.folder, model, charge)
        result = train()
        self.folder.mkdir(parents=True, exist_ok=True)
        save_model(model, str(self.folder / _WEIGHTS))
        price = None if charge is None else charge.price.value
        ended = {**self._said(), "steps": result.steps, "seconds": result.seconds, "price": price}
        part = self.folder / f"{_ENDED}.part"
        part.write_text(json.dumps(ended, indent=1), encoding="utf-8")
        part.replace(self.folder / _ENDED)  # last, so that the weights are whole if it is there
        return result

    def _taken_up(self, folder: Path, model: PreTrainedModel, charge: Charge | None) -> FineTuneResult:
        try:
            ended = json.loads((folder / _ENDED).read_text(encoding="utf-8"))
            same = ended["stated"] == self._said()["stated"]
            steps, seconds, price = int(ended["steps"]), float(ended["seconds"]), ended["price"]
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{folder / _ENDED} is damaged. Remove {folder} to train that part again.") from error
        if not same:
            raise CheckpointError(f"{folder} holds a training with other settings. Choose another folder.")
        load_model(model, str(folder / _WEIGHTS))
        if charge is not None:
            charge.price = replace(charge.price, value=price)
        return FineTuneResult(steps, seconds, ())

    def _said(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(json.dumps({"stated": dict(self.stated)}))
        return said
