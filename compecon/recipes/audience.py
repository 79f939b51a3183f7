"""Who looks on at a whole undertaking. Loads without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from compecon.finetune.watch import Watch


@dataclass(frozen=True)
class Audience:
    """Who looks on.

    Attributes:
        say: Is told what happens, a sentence at a time.
        begin: Is told the name of each stage, and how many optimizer steps it has; 0 for one without.
        watch: Is told of each step; its folder keeps checkpoints of the training if the settings save any.
        note: Is told of what is no step, a mapping of JSON values with its kind as "event": after a stage, how good the
            model is ("quality"). None for nobody: then nothing is measured for it.
    """

    say: Callable[[str], None] = lambda _: None
    begin: Callable[[str, int], None] = lambda _name, _steps: None
    watch: Watch = field(default_factory=Watch)
    note: Callable[[Mapping[str, Any]], None] | None = None

    def part(self, name: str) -> Watch:
        """The watch of a part of the training, with a folder of its own."""
        return replace(self.watch, folder=self.watch.folder / name if self.watch.folder else None)


NOBODY = Audience()
