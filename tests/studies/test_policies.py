"""The menu of policies says what is run."""

from __future__ import annotations

import pytest

from compecon.attention import policy
from compecon.attention.policy_choices import CONTROL_ARMS, POLICIES, make_policy
from compecon.views.attention.traces import DEFAULT_POLICY


@pytest.mark.parametrize("key", POLICIES)
def test_the_code_a_policy_shows_makes_the_policy_that_is_run(key: str) -> None:
    assert eval(POLICIES[key].code, vars(policy)) == make_policy(key)  # noqa: S307 - our own constant


def test_every_entry_has_words_of_its_own() -> None:
    for words in ([p.label for p in POLICIES.values()], [p.short for p in POLICIES.values()]):
        assert all(words)
        assert len(set(words)) == len(words)


def test_control_arms_and_the_default_are_on_the_menu() -> None:
    assert {DEFAULT_POLICY, *CONTROL_ARMS} <= set(POLICIES)


def test_another_key_is_refused_with_the_menu() -> None:
    with pytest.raises(ValueError, match=r"top-k, random.*got 'best'"):
        make_policy("best")
