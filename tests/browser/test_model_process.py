"""The process of models behind the pages: it alone holds torch, and its death costs one text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import expect

TORCH = "libtorch"
MINE = "A text for a model that is about to die."


@pytest.fixture
def serving(server: str) -> psutil.Process:
    """The process that answers pages."""
    port = urlsplit(server).port
    return next(
        psutil.Process(one.pid)
        for one in psutil.net_connections("tcp")
        if one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN
    )


def holds_torch(process: psutil.Process) -> bool:
    return any(TORCH in each.path for each in process.memory_maps())


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not tell what a process has mapped")
def test_the_interpreter_of_the_pages_never_imports_torch(dashboard: Any, serving: psutil.Process) -> None:
    dashboard.open()
    dashboard.type_text("This text is read by a model.")
    dashboard.await_badge("exact")
    for address in ("compare", "frontier", "allocation", "train", "train?new=1", "help"):
        dashboard.page.goto(f"{dashboard.server}/{address}")
        dashboard.page.locator("[data-testid=stSidebarNav]").wait_for()
        dashboard.page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
    assert not holds_torch(serving)
    assert any(holds_torch(child) for child in serving.children())


@pytest.mark.parametrize("moment", ["before it is asked", "while it reads"])
def test_a_model_process_that_is_killed_costs_nobody_a_text(
    new_dashboard: Callable[..., Any], serving: psutil.Process, moment: str
) -> None:
    one, other = new_dashboard().open(), new_dashboard().open(k="3")
    one.type_text("Before.")
    one.await_badge("exact")
    shown = other.tokens()
    if moment == "while it reads":
        for child in serving.children():
            child.suspend()
        with one.page.expect_request("**/compecon/sweep"):
            one.type_text(MINE)
    for child in serving.children():
        child.kill()
    one.type_text(MINE)
    expect(one.find(".list")).to_contain_text("die")
    one.await_badge("exact")
    expect(one.find(".alert")).to_be_hidden()
    assert (other.tokens(), other.k) == (shown, 3)
    assert one.errors == other.errors == []
