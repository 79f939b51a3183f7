"""`compecon evaluate`: how good a checkpoint is at a task, under a key budget or without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from compecon.commands.options import Data, Device, Json, MaxTokens, Source, TaskName, plainly
from compecon.recipes.policies import POLICIES

if TYPE_CHECKING:
    from compecon.attention.budget import KeyBudget
    from compecon.checkpoints.load import Checkpoint

_NOTE = "Queries read fewer keys, and the model does the same work: masking saves reads, not time."


def evaluate(  # noqa: PLR0913 - one option each
    checkpoint: Source,
    task: TaskName,
    data: Data = None,
    split: Annotated[str, typer.Option(help="Split to measure on.")] = "test",
    keys: Annotated[int | None, typer.Option(min=1, help="Keys that each query may read; all if not given.")] = None,
    share: Annotated[float | None, typer.Option(help="Or the share of the keys it sees, in (0, 1].")] = None,
    policy: Annotated[str, typer.Option(help=f"Which keys these are: {', '.join(POLICIES)}.")] = "top-k",
    max_tokens: MaxTokens = 128,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """All metrics of a task with their 95 % intervals, under a key budget or without."""
    budget = _budget(keys, share)
    if policy not in POLICIES:
        raise typer.BadParameter(f"--policy must be one of {', '.join(POLICIES)}, got {policy!r}.")

    from compecon.checkpoints.load import load_checkpoint
    from compecon.commands.results import metric_lines, metrics_of, print_json
    from compecon.recipes.evaluate import evaluate_checkpoint
    from compecon.recipes.policies import make_policy
    from compecon.tasks.registry import read_task

    with plainly():
        wanted = read_task(task, data)
        wanted.part(split)  # before a model is loaded
        loaded = load_checkpoint(checkpoint, device)
        found = evaluate_checkpoint(
            loaded, wanted, split, max_tokens=max_tokens, budget=budget, policy=make_policy(policy)
        )
        macs = _macs(loaded, found.n_tokens)
    if json:
        read: dict[str, Any] = {"keys": keys, "share": share, "policy": policy if budget else None}
        about = {"checkpoint": loaded.name, "digest": loaded.digest, "task": wanted.name, "split": split}
        print_json({**about, "metrics": metrics_of(found), "macs": macs, "n_tokens": found.n_tokens, **read})
        return
    for line in metric_lines(wanted, found):
        typer.echo(f"{wanted.name} {split}: {line}")
    typer.echo(f"MACs: {'unknown' if macs is None else f'{macs:,}'} for a text of {found.n_tokens} tokens")
    if budget:
        typer.echo(_NOTE)


def _budget(keys: int | None, share: float | None) -> KeyBudget | None:
    if keys is None and share is None:
        return None
    from compecon.attention.budget import KeyBudget

    try:
        return KeyBudget(keys, share)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _macs(checkpoint: Checkpoint, n_tokens: int) -> int | None:
    from compecon.errors import UnsupportedModelError
    from compecon.recipes.arms import forward_macs

    try:
        return forward_macs(checkpoint.model, n_tokens)
    except UnsupportedModelError:
        return None
