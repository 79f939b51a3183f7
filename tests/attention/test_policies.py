"""The menu of policies says what is run."""

from __future__ import annotations

from importlib import import_module

import pytest

from compecon.attention.policies import POLICIES
from compecon.views.attention.traces import DEFAULT_POLICY


@pytest.mark.parametrize("name", POLICIES)
def test_the_code_a_policy_shows_makes_the_policy_that_is_run(name: str) -> None:
    method = POLICIES[name]
    scope = vars(import_module(method.home[0]))
    assert eval(method.code, scope) == POLICIES.make(name)  # noqa: S307 - our own constant


def test_every_entry_has_words_of_its_own() -> None:
    for words in ([p.label for p in POLICIES.values()], [p.short for p in POLICIES.values()]):
        assert all(words)
        assert len(set(words)) == len(words)


def test_the_default_is_on_the_menu_and_there_are_others_to_compare_with() -> None:
    assert DEFAULT_POLICY in POLICIES
    assert [name for name, policy in POLICIES.items() if policy.is_arm and name != DEFAULT_POLICY]


def test_another_name_is_refused_with_the_menu() -> None:
    with pytest.raises(ValueError, match=r"top-k, random.*got 'best'"):
        POLICIES.make("best")
