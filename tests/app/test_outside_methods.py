"""A method that is registered by somebody else: in the pages' menus, in their addresses and in legends."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from app.models.engine import Engine
from app.models.sweep_job import SweepJob
from compecon import registry
from compecon.views.attention.frames import decode
from tests.support import pages
from tests.support.outside import LABELS, NAMES, registered
from tests.support.pages import address_of

POLICY, RULE = NAMES["policy"], NAMES["rule"]


@pytest.fixture(autouse=True)
def _outside() -> Iterator[None]:
    with registered("policy", "rule", "importance", "cost", "task"):
        yield


def test_the_pages_have_a_policy_in_their_menus_and_addresses(open_page) -> None:
    page = open_page(policy=POLICY)
    menu = page.selectbox(key="policy")
    assert (menu.value, LABELS["policy"] in menu.options) == (POLICY, True)
    assert address_of(page)["policy"] == POLICY


def test_the_allocation_page_has_a_rule_in_its_menu_and_address() -> None:
    page = pages.open_page("allocation", rule=RULE)
    menu = page.selectbox(key="allocation_rule")
    assert (menu.value, LABELS["rule"] in menu.options) == (RULE, True)
    assert address_of(page)["rule"] == RULE


def test_a_method_that_is_left_out_is_told_where_the_menus_are(open_page, monkeypatch) -> None:
    monkeypatch.setattr(registry, "_problems", ["The method x of the package y is left out: *bad* day."])
    for page in (open_page(), pages.open_page("allocation")):
        assert any("left out" in warning.value for warning in page.warning)
        assert all("*bad*" not in warning.value for warning in page.warning)  # escaped


def test_legends_say_its_short_label() -> None:
    parts: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    Engine().submit(SweepJob("sentiment", "cpu", "a good film", policy=POLICY), parts.put, lambda: True)
    opening = next(decode(b"".join(iter(parts.get, None)))).fields
    assert (opening["policy"], opening["policy_label"], opening["ranks_by_weight"]) == (POLICY, "weakest", False)
