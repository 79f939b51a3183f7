"""Commands that are loaded when they are called: `compecon --help` loads none of them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

_MODULES = {"prune": "train", "statistics": "evaluate", "resume": "stop"}  # of commands that share one


def lazily(name: str) -> type[TyperCommand]:
    """A class for a command that loads its module when it is called."""

    class Lazy(TyperCommand):
        def make_context(self, *args: Any, **kwargs: Any) -> Any:
            return loaded(name).make_context(*args, **kwargs)

    return Lazy


def loaded(name: str) -> Any:
    """A command as its module has it."""
    found = import_module(f"compecon.commands.{_MODULES.get(name, name)}")
    outer = typer.Typer(add_completion=False, rich_markup_mode=None)
    if hasattr(found, "app"):
        outer.add_typer(found.app, name=name)
        return vars(typer.main.get_command(outer))["commands"][name]
    outer.command(name)(getattr(found, name))
    return typer.main.get_command(outer)
