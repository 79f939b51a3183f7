"""What is typed means the same on the command line, in the form, in a table of points and in a grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from compecon.commands.lazy import loaded
from compecon.commands.values import read_axis, read_points
from compecon.errors import SettingError
from compecon.runs.jobs.job_registry import RECIPES
from compecon.settings.setting import spelled
from compecon.views.runs.form_draft import FormDraft

TRAIN = {setting.name: setting for setting in RECIPES["train"].settings}
ACCEPTED = {
    "target": ["0.5", " 0.5 ", "1", "5e-1", "none", "NONE"],
    "steps": ["7", " 7", "1_000", "none"],
    "epochs": ["2", "0.5", "1e1"],
    "cost": ["macs", " latency "],
    "key_budgets": ["4", "none"],
    "data": ["/a/folder", "none"],
    "seed": ["0", "4294967295"],
}
REFUSED = {
    "target": ["0", "1.1", "much", "nan", "-1", "0.5.5"],
    "steps": ["0", "1.5", "many", "1e3", "9" * 5000],
    "epochs": ["none", "inf", "0"],
    "cost": ["mac", "None", "watts"],
    "key_budgets": ["0", "a", "1.5"],
    "seed": ["none", "-1", "4294967296"],
}


def outcome(read):
    """A value, or why there is none."""
    try:
        return read()
    except SettingError as error:
        return (error.setting, error.why)


def by_command_line(name, text):
    """What the parser of `compecon train` hands on, as the command then reads it."""
    arguments = ["--task", "sst2", "--base", "sentiment", "--out", "x", f"{TRAIN[name].options[0]}={text}"]
    return TRAIN[name].parse(loaded("train").make_context("train", arguments).params[name])


def by_form(name, text):
    points = replace(FormDraft.blank(), vary=name, values=text)
    [value] = points.does.setting(name).parse_several(points.values)
    return value


def by_grid(name, text):
    [value] = read_axis("train", f"{name}={text}")[1]
    return value


def by_table(folder: Path):
    def read(name, text):
        path = folder / "points.csv"
        path.write_text(f'{name},seed\n"{text}",1\n' if name != "seed" else f'seed,steps\n"{text}",1\n')
        return read_points("train", path)[0][name]

    return read


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in ACCEPTED.items() for text in texts])
def test_the_same_text_is_the_same_value_wherever_it_is_typed(name, text, tmp_path):
    values = [read(name, text) for read in (by_command_line, by_form, by_grid, by_table(tmp_path))]
    assert values == [TRAIN[name].parse(text)] * 4
    assert TRAIN[name].checked(values[0]) == values[0]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_the_same_text_is_refused_in_the_same_words_wherever_it_is_typed(name, text, tmp_path):
    ways = (by_command_line, by_form, by_grid, by_table(tmp_path))
    found = [outcome(lambda read=read: read(name, text)) for read in ways]
    assert found == [found[0]] * 4
    setting, why = found[0]
    assert setting == name
    assert why.endswith((".", "?"))
    assert len(why.splitlines()) == 1
    assert len(why) < 400


@pytest.mark.parametrize("name", ["steps", "target", "data"])
def test_nothing_is_none_where_none_is_a_value(name):
    assert TRAIN[name].parse("") is TRAIN[name].parse("  ") is None
    assert by_command_line(name, "") is None


@pytest.mark.parametrize("name", ["epochs", "seed", "cost", "decay", "task"])
def test_nothing_is_refused_where_none_is_no_value(name):
    with pytest.raises(SettingError, match="given"):
        TRAIN[name].parse("")


def test_several_values_are_each_read_alone_and_none_of_them_is_empty():
    assert TRAIN["steps"].parse_several("7, none") == (7, None)
    assert TRAIN["key_budgets"].parse_several("1,2; none;4") == ([1, 2], [], [4])
    for text in ("", " ", "7,", ",7", "7,,8"):
        with pytest.raises(SettingError, match="steps"):
            TRAIN["steps"].parse_several(text)


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_every_default_can_be_typed(recipe):
    for setting in RECIPES[recipe].settings:
        if not setting.required:
            assert setting.parse(spelled(setting.default)) == setting.default


@given(st.sampled_from(["learning_rate", "steps", "key_budgets", "decay"]), st.data())
def test_what_is_spelled_is_read_again(name, data):
    values = {
        "learning_rate": st.floats(min_value=0, exclude_min=True, allow_infinity=False),
        "steps": st.none() | st.integers(1, 2**53),
        "key_budgets": st.lists(st.integers(1, 2**53), max_size=64),
        "decay": st.booleans(),
    }
    value = data.draw(values[name])
    assert TRAIN[name].parse(spelled(value)) == value


@settings(max_examples=40)
@given(st.sampled_from(list(TRAIN)), st.text())
def test_any_text_is_a_value_or_refused_by_the_name_of_the_setting(name, text):
    found = outcome(lambda: TRAIN[name].parse(text))
    if isinstance(found, tuple):
        assert found[0] == name
        assert "\n" not in found[1]
    else:
        assert TRAIN[name].checked(found) == found
