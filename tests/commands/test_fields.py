"""Options made from settings classes: all fields, their defaults and their words."""

import subprocess
import sys
from dataclasses import dataclass, fields
from typing import Literal

import pytest
import typer

from compecon.commands import prune, train
from compecon.commands.fields import FieldOptions, attributes_told, call, with_options
from compecon.finetune.incentive_settings import IncentiveSettings
from compecon.finetune.settings import FineTuneSettings
from compecon.recipes.plans import PrunePlan, TrainPlan


@dataclass(frozen=True)
class Recipe:
    """How to bake.

    Attributes:
        flour: Grams of flour,
            sifted.
        kind: Of flour.
        rises: Whether it rises.
        eggs: Weights of the eggs; empty for none.
        salt: Grams; None for a pinch.
    """

    flour: float = 500
    kind: Literal["wheat", "rye"] = "wheat"
    rises: bool = True
    eggs: tuple[int, ...] = ()
    salt: int | None = None

    def __post_init__(self) -> None:
        if self.flour <= 0:
            raise ValueError(f"flour must be above 0, got {self.flour}.")


def baked(*arguments, **about):
    """What a command line becomes."""
    options, found = FieldOptions(Recipe, **about), []

    def bake(*, settings):
        """Bake."""
        found.append(options.read(settings))

    with pytest.raises(SystemExit) as ended:
        call(with_options(bake, options), "bake", list(arguments))
    return ended.value.code, found


def test_without_arguments_the_defaults_are_those_of_the_class():
    assert baked() == (0, [Recipe()])


def test_every_kind_of_value_is_read():
    given = ("--flour", "3.5", "--kind", "rye", "--no-rises", "--eggs", "50,60", "--salt", "7")
    assert baked(*given) == (0, [Recipe(3.5, "rye", rises=False, eggs=(50, 60), salt=7)])


def test_names_and_defaults_may_be_others():
    assert baked("--powder", "5", names={"flour": ("--powder",)}, defaults={"salt": 1}) == (0, [Recipe(5, salt=1)])


@pytest.mark.parametrize("wrong", [("--flour", "0"), ("--kind", "oat"), ("--eggs", "big"), ("--salt", "1.5"), ("--x",)])
def test_what_is_out_of_range_is_wrong_usage(wrong, capsys):
    assert baked(*wrong) == (2, [])
    assert wrong[0] in capsys.readouterr().err or wrong == ("--flour", "0")


def test_help_is_what_the_docstring_says(capsys):
    assert baked("--help")[0] == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Grams of flour, sifted." in shown
    assert "Weights of the eggs; empty for none." in shown


def options_of(command):
    """Every option of a command, by the name of its parameter."""
    app = typer.Typer()
    app.command()(command)
    return {each.name: each for each in typer.main.get_command(app).params}


@pytest.mark.parametrize("kind", [FineTuneSettings, IncentiveSettings, TrainPlan])
def test_every_field_of_a_training_is_an_option_with_its_own_words(kind):
    options, told = options_of(train.command()), attributes_told(kind)
    for field in fields(kind):
        if field.name in ("settings", "incentive"):  # those are the other two classes
            continue
        assert options[field.name].help == told[field.name]
        assert options[field.name].opts[0] in (f"--{field.name.replace('_', '-')}", "--target-macs")


@pytest.mark.parametrize("kind", [FineTuneSettings, PrunePlan])
def test_every_field_of_a_pruning_is_an_option(kind):
    options = options_of(prune.command()) | {"epochs": None, "recovery": None}  # --recover-epochs, and whether it is 0
    assert {field.name for field in fields(kind)} <= options.keys()
    assert options["recover_epochs"].opts == ["--recover-epochs"]


@pytest.mark.parametrize("command", [(), ("evaluate",), ("compact",), ("export",)])
def test_help_loads_no_torch(command):
    check = f"""
import sys
from compecon.cli import main
sys.argv = ["compecon", *{command!r}, "--help"]
try:
    main()
finally:
    print("loaded:", *{{"torch", "transformers"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"
