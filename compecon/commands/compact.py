"""`compecon compact`: named heads and neurons taken out of a checkpoint for good."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compecon.commands.options import Device, Json, NewFolder, Source, parse_list, plainly
from compecon.errors import CompeconError
from compecon.files.safe_reader import MEGABYTE, parse_object, read_bytes, shown

if TYPE_CHECKING:
    from compecon.training.removal import Removed

_Heads = Annotated[
    str,
    typer.Option(help="layer.head, from 0, separated by commas: 0.3,2.11; heads are numbered as in the dense model."),
]
_Neurons = Annotated[
    Path | None, typer.Option(help='JSON file of FFN neurons by layer, from 0: {"0": [1, 5], "2": [7]}.')
]


def compact(  # noqa: PLR0913 - one option each
    checkpoint: Source,
    out: NewFolder,
    remove_heads: _Heads = "",
    remove_neurons: _Neurons = None,
    text: Annotated[str | None, typer.Option(help="Text on which the models are compared.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Remove heads and neurons by name, and check on a text that nothing else changed."""
    from compecon.training.removal import SAMPLE, Removal, remove_units

    with plainly():
        removal = Removal(parse_list(remove_heads, _head, "--remove-heads"), _neurons(remove_neurons))
        found = remove_units(checkpoint, removal, out, text=SAMPLE if text is None else text, device=device)
    if json:
        from compecon.commands.home import print_json

        print_json({**asdict(found), "folder": str(found.folder)})
        return
    typer.echo(f"largest difference from the model with those units switched off: {found.difference:.2g}")
    typer.echo(
        f"MACs: {found.macs:,} for the text of {found.n_tokens} tokens, {found.macs_before:,} before "
        f"({found.macs / found.macs_before:.3f})"
    )
    left = ", ".join(f"{heads} and {neurons}" for heads, neurons in found.units)
    typer.echo(f"heads and neurons that remain in each layer: {left}")
    sizes = f"{found.n_bytes / 1e6:.1f} MB, {found.n_bytes_before / 1e6:.1f} MB before"
    typer.echo(f"saved: {found.folder}, {sizes}{_why(found)}")


def _why(found: Removed) -> str:
    """Why it takes more disk than before although the model is smaller."""
    is_larger = found.n_bytes > found.n_bytes_before
    return "; it holds float32, which the given weights do not" if is_larger else ""


def _head(text: str) -> tuple[int, int]:
    layer, dot, head = text.strip().partition(".")
    if not (dot and layer.isdecimal() and head.isdecimal()):
        raise ValueError(f"{text.strip()!r} is not layer.head")
    return int(layer), int(head)


def _neurons(path: Path | None) -> dict[int, list[int]]:
    if path is None:
        return {}
    try:
        content = parse_object(read_bytes(path, MEGABYTE), shown(path))
        named = {int(layer): [_whole(index) for index in indices] for layer, indices in content.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise CompeconError(f'{path} is not of the form {{"0": [1, 5], "2": [7]}} ({error}).') from error
    return named


def _whole(index: object) -> int:
    if type(index) is not int:
        raise ValueError(f"{index!r} is not an index")
    return index
