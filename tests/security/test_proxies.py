"""Whose word about a visitor's address counts: over real connections, because uvicorn reads the headers."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from app.server.access import Access
from app.server.signin import MAX_WRONG
from tests.security.conftest import TOKEN
from tests.support.serving import Serving, serving

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has only 127.0.0.1 on loopback")
ROTATING = [
    "X-Forwarded-For: 10.0.0.{n}", "X-Forwarded-For: 127.0.0.1, 10.0.0.{n}", "X-Forwarded-For: [2001:db8:{n}::1]:80",
    "Forwarded: for=10.0.0.{n}", "X-Real-IP: 10.0.0.{n}", "X-Client-IP: 10.0.0.{n}", "True-Client-IP: 10.0.0.{n}",
    "X-Forwarded-For: {n}", "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.{n}",
]  # fmt: skip


@pytest.fixture
def locked() -> Iterator[Serving]:
    with serving(Access(token=TOKEN)) as server:
        yield server


@pytest.fixture
def behind_a_proxy() -> Iterator[Serving]:
    with serving(Access(token=TOKEN, proxies=frozenset({"127.0.0.1/32"}))) as server:
        yield server


def guesses(server: Serving, header: str, source: str = "127.0.0.1", tries: int = MAX_WRONG + 3) -> list[int]:
    return [server.status(f"/?token=wrong-{n}", header.format(n=n), source=source) for n in range(tries)]


LIMITED = [401] * MAX_WRONG + [429] * 3


def test_no_header_makes_a_guesser_another_visitor(locked: Serving) -> None:
    judged = {header: guesses(locked, header, f"127.0.1.{n}") for n, header in enumerate(ROTATING)}
    assert judged == dict.fromkeys(ROTATING, LIMITED)


def test_the_environment_does_not_make_everybody_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with serving(Access(token=TOKEN)) as server:
        assert guesses(server, ROTATING[0]) == LIMITED


def test_nobody_can_lock_another_out_by_a_header(locked: Serving) -> None:
    for header in ROTATING:
        guesses(locked, header.replace("10.0.0.{n}", "127.0.0.2").replace("{n}", "127.0.0.2"))
    assert locked.status(f"/?token={TOKEN}", source="127.0.0.2") == 303


def test_a_named_proxys_visitors_are_told_apart(behind_a_proxy: Serving) -> None:
    assert guesses(behind_a_proxy, "X-Forwarded-For: 10.0.0.1") == LIMITED
    assert behind_a_proxy.status(f"/?token={TOKEN}", "X-Forwarded-For: 10.0.0.2") == 303
    assert behind_a_proxy.status(f"/?token={TOKEN}", "X-Forwarded-For: 10.0.0.1") == 429
    assert behind_a_proxy.status(f"/?token={TOKEN}", "X-Forwarded-For: ::ffff:10.0.0.1") == 429


def test_behind_a_named_proxy_a_visitor_cannot_invent_who_they_are(behind_a_proxy: Serving) -> None:
    assert guesses(behind_a_proxy, "X-Forwarded-For: 10.9.9.{n}, 10.0.0.1") == LIMITED
    assert guesses(behind_a_proxy, "X-Forwarded-For: 2001:db8:1:2:{n}::1") == LIMITED
    assert guesses(behind_a_proxy, "X-Forwarded-For: visitor-{n}") == LIMITED


def test_beside_a_named_proxy_nobody_else_is_believed(behind_a_proxy: Serving) -> None:
    assert guesses(behind_a_proxy, ROTATING[0], source="127.0.0.3") == LIMITED


def test_a_named_proxy_says_whether_the_visitor_came_over_tls(behind_a_proxy: Serving) -> None:
    over_tls = "X-Forwarded-Proto: https"
    assert "; Secure" in behind_a_proxy.ask(f"/?token={TOKEN}", over_tls)
    assert "; Secure" not in behind_a_proxy.ask(f"/?token={TOKEN}")
    assert "; Secure" not in behind_a_proxy.ask(f"/?token={TOKEN}", over_tls, source="127.0.0.3")
