"""Recipes by name: what can be set, what is refused, and the command line that says the same."""

from __future__ import annotations

import json
import math
from dataclasses import fields

import pytest

from compecon.commands.lazy import loaded
from compecon.errors import SettingError
from compecon.runs.jobs import options
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.options import prune_plan, train_plan
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.plans import PrunePlan, TrainPlan
from compecon.training.training_settings import FineTuneSettings

NEEDED = {
    "train": {"task": "sst2", "base": "sentiment"},
    "prune": {"task": "sst2", "checkpoint": "sentiment"},
    "evaluate": {"task": "sst2", "checkpoint": "sentiment"},
    "statistics": {"task": "sst2", "checkpoint": "sentiment"},
    "rehearsal": {},
}
EACH = pytest.mark.parametrize("name", list(RECIPES))


def checked(name, **params):
    return RECIPES[name].checked({**NEEDED[name], **params})


@EACH
def test_checked_values_say_everything_and_are_json(name):
    params, recipe = checked(name), RECIPES[name]
    told = [setting for setting in recipe.settings if setting.name not in recipe.added]
    assert tuple(params) == tuple(setting.name for setting in told)
    assert json.loads(json.dumps(params, allow_nan=False)) == params
    assert recipe.checked(params) == params
    assert {setting.name: params[setting.name] for setting in told if not setting.required} == {
        setting.name: setting.default for setting in told if not setting.required
    }


def test_a_setting_that_earlier_versions_did_not_have_is_told_where_it_is_used():
    assert "rows" not in checked("evaluate")
    assert checked("evaluate", rows=9)["rows"] == 9
    assert "elastic" not in checked("train")
    assert checked("train", elastic=[1, 0.5])["elastic"] == [1.0, 0.5]


@EACH
def test_every_setting_is_told(name):
    assert all(len(setting.description) > 5 for setting in RECIPES[name].settings)


def test_every_field_of_the_settings_classes_is_a_setting():
    train, prune = ({setting.name for setting in recipe} for recipe in (options.TRAIN, options.PRUNE))
    rest = {each.name for each in fields(TrainPlan)} - {"settings", "incentive"}
    assert {each.name for kind in (FineTuneSettings, IncentiveSettings) for each in fields(kind)} | rest <= train
    renamed = {"epochs": "recover_epochs", "steps": "recover_steps"}
    names = {renamed.get(each.name, each.name) for each in fields(FineTuneSettings)}
    assert names | {each.name for each in fields(PrunePlan)} - {"recovery"} <= prune


def test_a_training_in_the_background_always_saves():
    assert checked("train")["save_every"] == checked("train", save_every=None)["save_every"] == 50
    assert checked("train", save_every=7)["save_every"] == 7
    assert RECIPES["train"].read(NEEDED["train"])["save_every"] is None


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("train", {"batch_size": "8"}, "a whole number"),
        ("train", {"batch_size": 8.0}, "a whole number"),
        ("train", {"batch_size": True}, "a whole number"),
        ("train", {"batch_size": 10**30}, "a whole number"),
        ("train", {"batch_size": 0}, "above 0"),
        ("train", {"seed": -1}, "from 0"),
        ("train", {"learning_rate": math.nan}, "a finite number"),
        ("train", {"learning_rate": math.inf}, "a finite number"),
        ("train", {"learning_rate": 10**400}, "a finite number"),
        ("train", {"learning_rate": None}, "has to be given"),
        ("train", {"decay": 1}, "true or false"),
        ("train", {"decay": "yes"}, "true or false"),
        ("train", {"key_budgets": "1,2"}, "whole numbers"),
        ("train", {"key_budgets": [1, "2"]}, "a whole number"),
        ("train", {"key_budgets": [0]}, "at least 1"),
        ("train", {"key_budgets": [1] * 10_000}, "at most 64"),
        ("train", {"precision": "bf16"}, "Did you mean bfloat16?"),
        ("train", {"task": "sst3"}, "Did you mean sst2?"),
        ("train", {"task": None}, "has to be given"),
        ("train", {"task": " "}, "has to be given"),
        ("train", {"base": "--out=/"}, "dash"),
        ("train", {"base": "a\nb"}, "printable"),
        ("train", {"base": "x\x00"}, "printable"),
        ("train", {"base": "x" * 5000}, "at most 4096"),
        ("train", {"base": {"a": 1}}, "a text"),
        ("train", {"targt": 0.5}, "Did you mean target?"),
        ("train", {"target": 0.0}, "(0, 1]"),
        ("train", {"price": -1.0}, "at least 0"),
        ("train", {"target": 0.5, "price_share": 0.0}, "(0, 1]"),
        ("train", {"target": 0.5, "cost": "ffn-l1"}, None),
        ("train", {"hidden_weight": 1.0}, "teacher"),
        ("train", {"cost": "latency"}, "needs a target or a price"),
        ("train", {"warmup": 1.0}, "[0, 1)"),
        ("train", {"max_tokens": 1}, "at least 2"),
        ("train", {"report_to": "post"}, "among tensorboard"),
        ("prune", {"method": "luck"}, "one of"),
        ("prune", {"target": 2.0}, "(0, 1]"),
        ("prune", {"recover_epochs": -1.0}, "at least 0"),
        ("prune", {"recover_steps": 0}, "at least 1"),
        ("evaluate", {"keys": 0}, "at least 1"),
        ("evaluate", {"share": 1.5}, "(0, 1]"),
        ("evaluate", {"budgets": [4, 0]}, "at least 1"),
        ("evaluate", {"keys": 2, "budgets": [4]}, "give either"),
        ("evaluate", {"policy": "best"}, "top-k"),
        ("statistics", {"rows": 1}, "from 2"),
        ("statistics", {"budgets": [4, 0]}, "at least 1"),
        ("statistics", {"max_tokens": 1}, "at least 2"),
        ("rehearsal", {"steps": 0}, "from 1"),
        ("rehearsal", {"size_kb": 10**9}, "from 1"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_setting(name, wrong, said):
    with pytest.raises(SettingError) as told:
        checked(name, **wrong)
    expected = next(reversed(wrong))
    assert told.value.setting == expected
    assert str(told.value).startswith(f"{expected}: ")
    assert said is None or said in str(told.value)
    assert len(str(told.value)) < 1000


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(SettingError, match="not both"):
        checked("train", target=0.5, price=1.0)
    with pytest.raises(SettingError, match="either keys or share"):
        checked("evaluate", keys=2, share=0.5)


@pytest.mark.parametrize("params", [None, [], "task", 3])
def test_what_is_no_mapping_is_refused(params):
    with pytest.raises(SettingError, match="by name"):
        RECIPES["train"].checked(params)


def test_folders_are_absolute_and_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    params = checked("train", base="mine", data="corpora", task="files:rows.csv?label=mark")
    assert params["base"] == str(tmp_path / "mine")
    assert params["data"] == str(tmp_path / "corpora")
    assert params["task"] == f"files:{tmp_path / 'rows.csv'}?label=mark"
    assert checked("train")["base"] == "sentiment"
    assert checked("train", base="owner/model")["base"] == "owner/model"


def test_a_plan_is_made_of_the_values():
    plan = train_plan(checked("train", target=0.3, units="heads", epochs=2, key_budgets=[1, 2], max_tokens=64))
    assert plan == TrainPlan(
        FineTuneSettings(epochs=2, key_budgets=(1, 2), save_every=50),
        IncentiveSettings(target=0.3, units="heads"),
        max_tokens=64,
    )
    assert train_plan(checked("train", price=2)).incentive == IncentiveSettings(target=None, price=2)
    assert train_plan(checked("train")).incentive is None


def test_a_pruning_recovers_if_it_is_told_to():
    assert prune_plan(checked("prune", seed=3)) == PrunePlan(recovery=None, seed=3)
    assert prune_plan(checked("prune", recover_epochs=2)).recovery == FineTuneSettings(epochs=2, save_every=50)
    assert prune_plan(checked("prune", recover_steps=9)).recovery == FineTuneSettings(steps=9, save_every=50)


def parsed(arguments):
    """What the command line's own parser makes of a command: the values that its function would get."""
    command = loaded(arguments[0])
    more = () if arguments[0] in ("evaluate", "statistics") else ("--out", "somewhere")
    context = command.make_context(arguments[0], [*arguments[1:], *more])
    known = {setting.name: setting for setting in RECIPES[arguments[0]].options}
    given = {name: value for name, value in context.params.items() if name in known}
    return {name: known[name].parse(value) if isinstance(value, str) else value for name, value in given.items()}


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("train", {}),
        ("train", {"target": 0.45, "cost": "latency", "units": "neurons", "start": "open", "n_tokens": 20}),
        ("train", {"price": 1e-7, "schedule": "cosine"}),
        ("train", {"key_budgets": [1, 2, 8], "decay": False, "freeze_embeddings": True, "checkpointing": True}),
        ("train", {"epochs": 0.5, "learning_rate": 3e-5, "seed": 2**31, "data": "/a folder/with 'marks'"}),
        ("prune", {}),
        ("prune", {"target": 0.3, "method": "random", "recover_epochs": 1.5, "seed": 4, "device": "cpu"}),
        ("prune", {"recover_steps": 12, "hidden_weight": 0.25}),
        ("evaluate", {"keys": 3, "policy": "sink-recent", "split": "dev"}),
        ("evaluate", {"share": 0.25, "device": "cuda:1", "max_tokens": 16}),
        ("evaluate", {"budgets": [8, 4, 1]}),
        ("statistics", {}),
        ("statistics", {"rows": 50, "budgets": [16, 2], "split": "dev", "data": "/a folder"}),
    ],
)
def test_the_command_means_the_same(name, params):
    recipe, wanted = RECIPES[name], checked(name, **params)
    arguments = recipe.command(wanted)
    assert recipe.checked(parsed(arguments)) == wanted
    assert all(isinstance(part, str) for part in arguments)


def test_the_command_holds_only_what_is_no_default():
    wanted = checked("train", target=0.45)
    assert RECIPES["train"].command(wanted) == (
        *("train", "--task", "sst2", "--base", "sentiment", "--target-macs", "0.45", "--save-every", "50"),
        *("--out", "NEW-FOLDER"),
    )
    assert RECIPES["rehearsal"].command(checked("rehearsal")) == ()


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.command(checked(name))])
def test_the_command_can_be_typed_as_it_stands(name):
    """It has every option that the command line needs, and none that it does not know."""
    command = loaded(name)
    words = RECIPES[name].command(checked(name))
    command.make_context(name, list(words[1:]))
    assert ("--out" in words) == any(option.name == "out" for option in command.params)


@EACH
def test_what_none_means_can_be_said_by_saying_nothing(name):
    """A command has no word for None, so None has to be the default of all that may be None."""
    assert all(setting.default is None for setting in RECIPES[name].options if setting.optional)
