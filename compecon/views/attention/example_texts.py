"""Good texts to look at, per task, bundled with the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.paths import assets

FIRST_PAIR = ("sentiment", "sentiment-elastic")  # what Compare opens with: the dense model, and its child
FIRST_SIZE = 0.3  # of the child: a share of the MACs
CHILDREN = {"sentiment-elastic": "sentiment", "similarity-elastic": "similarity"}  # elastic ones that are bundled
# What the bundled checkpoint for a task is called.
BUNDLED_FOR = {"sst2": "sentiment", "stsb": "similarity", "mnli": "entailment", "sick": "entailment"}


@final
@dataclass(frozen=True)
class Example:
    """One bundled text."""

    title: str  # what the menu says
    checkpoint: str  # name of the bundled checkpoint whose task it suits
    text: str
    pair: str = ""  # second text of a pair, or ""


def opening_sizes(a: str, b: str) -> dict[str, float]:
    """Sizes of an elastic checkpoint that a pair is shown at before anybody chose one, by their name in an address."""
    return {"size_b": FIRST_SIZE} if (a, b) == FIRST_PAIR else {}


def examples(file: Path | None = None) -> tuple[Example, ...]:
    """All bundled examples; those of one checkpoint are together, the best first."""
    file = file or assets() / "texts" / "examples.json"
    return tuple(Example(**row) for row in read_json(file, MEGABYTE))


def examples_for(checkpoint: str, task: str = "") -> tuple[Example, ...]:
    """The examples of a checkpoint, or of its task (a bundled checkpoint's or a task's name); else all single texts."""
    wanted = {checkpoint, BUNDLED_FOR.get(task, task)}
    own = tuple(e for e in examples() if e.checkpoint in wanted)
    return own or tuple(e for e in examples() if not e.pair)
