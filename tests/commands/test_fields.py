"""Options made from settings: all of them, their defaults and their words."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated, Literal

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from compecon.commands.fields import read, with_options
from compecon.commands.lazy import loaded
from compecon.errors import SettingError
from compecon.runs.jobs.options import EVALUATE, PRUNE, STATISTICS, TRAIN
from compecon.settings.model import Counts, Name, Shown, settings_model
from compecon.settings.setting import settings_of


@settings_model
class Baking:
    """Bread."""

    oven: Annotated[Name, Shown(options=())] = Field(description="Which oven.")
    flour: Annotated[float, Shown(options=("--flour", "--powder"))] = Field(
        default=500.0, gt=0, description="Grams of flour, sifted."
    )
    kind: Literal["wheat", "rye"] = Field(default="wheat", description="Of flour.")
    rises: bool = Field(default=True, description="Whether it rises.")
    eggs: Counts = Field(default=(), description="Weights of the eggs; empty for none.")
    salt: int | None = Field(default=None, description="Grams; None for a pinch.")


SETTINGS = settings_of(Baking)
PLAIN = {"oven": "big", "flour": 500.0, "kind": "wheat", "rises": True, "eggs": [], "salt": None}


def baked(*arguments, settings=SETTINGS):
    """What a command line becomes: the exit code, what was read, and what was printed."""
    found = []

    def _bake(params, twice: bool = False):
        """Bake."""
        found.append((params, twice))

    kitchen = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    kitchen.command()(with_options(_bake, settings))
    done = CliRunner().invoke(kitchen, list(arguments))
    return done.exit_code, found, done.output


def test_without_options_the_defaults_are_those_of_the_settings():
    assert baked("big")[:2] == (0, [(PLAIN, False)])


def test_every_kind_of_value_is_read():
    given = ("big", "--flour", "3.5", "--kind", "rye", "--no-rises", "--eggs", "50,60", "--salt", "7", "--twice")
    expected = {"oven": "big", "flour": 3.5, "kind": "rye", "rises": False, "eggs": [50, 60], "salt": 7}
    assert baked(*given)[:2] == (0, [(expected, True)])


def test_another_spelling_is_the_same_option():
    assert baked("big", "--powder", "5")[1] == [({**PLAIN, "flour": 5.0}, False)]


@pytest.mark.parametrize("wrong", [("--kind", "oat"), ("--salt", "1.5"), ("--flour", "much"), ("--x",)])
def test_what_is_no_value_is_wrong_usage(wrong):
    code, found, said = baked("big", *wrong)
    assert (code, found) == (2, [])
    assert wrong[0] in said


def test_what_has_to_be_given_has_to_be_given():
    assert baked()[:2] == (2, [])


def test_help_is_what_the_settings_say():
    code, _, said = baked("--help")
    shown = " ".join(said.split())
    assert code == 0
    assert "Grams of flour, sifted." in shown
    assert "Weights of the eggs; empty for none." in shown


def test_a_refused_setting_is_told_by_its_option():
    def refuse(_params):
        raise SettingError("batch_size", "must be above 0.")

    with pytest.raises(typer.BadParameter) as told:
        read(refuse, {})
    assert told.value.param_hint == "--batch-size"
    assert str(told.value) == "must be above 0."


@pytest.mark.parametrize(
    ("command", "settings"), [("train", TRAIN), ("prune", PRUNE), ("evaluate", EVALUATE), ("statistics", STATISTICS)]
)
def test_every_setting_of_a_recipe_is_an_option_of_its_command_with_its_own_words(command, settings):
    options = {each.name: each for each in loaded(command).params}
    for setting in settings:
        option = options[setting.name]
        assert option.help == setting.description
        assert not setting.options or option.opts[0] == setting.options[0]
        assert option.required == setting.required


def test_help_loads_no_torch():
    check = """
import sys
from compecon.cli import main
for command in ["", "train", "prune", "evaluate", "statistics", "compact", "export"]:
    sys.argv = ["compecon", *command.split(), "--help"]
    try:
        main()
    except SystemExit as end:
        print("ended:", end.code, *{"torch", "transformers"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if line.startswith("ended:")] == ["ended: 0"] * 7
