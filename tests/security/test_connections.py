"""Visitors who never finish what they say, or never listen: each wait ends, and others are answered meanwhile."""

from __future__ import annotations

import http.client
import re
import socket
import sys
from contextlib import ExitStack, suppress
from itertools import cycle

import pytest

from app.server.access import Access
from app.server.connections import Limits
from app.server.signin import PATH
from tests.security.conftest import TOKEN
from tests.support.serving import Serving, read_to_the_end, serving, until

QUICK = Limits(headers_s=0.2, body_s=0.4, unread_s=0.4, slowest=10**9, tick_s=0.05)
PATIENT = Limits(headers_s=600, body_s=600, unread_s=600, per_address=20, in_all=40)
LOCKED = Access(token=TOKEN)
HEAD = "POST {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nContent-Length: 100\r\n\r\ntok"
CHUNKED = "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntoken"
UPGRADE = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
ALIVE = "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"
HALF = {
    "nothing": "", "a letter": "G", "a header": "GET / HTTP/1.1\r\nHost: {host}\r\n", "a form": HEAD.format(path=PATH),
    "a body": HEAD.format(path="/"), "a chunk": CHUNKED, "a handshake": UPGRADE, "a second request": ALIVE + "GET /",
    "a second body": ALIVE + CHUNKED, "a frame": UPGRADE + "\r\n\x01",
}  # fmt: skip


def signed_in(server: Serving) -> str:
    found = re.search(r"set-cookie: ([^;]+)", server.ask(f"/?token={TOKEN}"))
    assert found
    return f"Cookie: {found[1]}"


# ---- each wait ends


def is_hung_up(opened: socket.socket) -> bool:
    """Whether the server has ended a connection on which it had nothing to say."""
    opened.setblocking(False)
    try:
        return opened.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_who_says_half_a_sentence_is_hung_up_on() -> None:
    with serving(LOCKED, QUICK) as server, ExitStack() as crowd:
        opened = [crowd.enter_context(server.connect(said)) for said in HALF.values()]
        assert all(read_to_the_end(one) is not None for one in opened)
        until(lambda: server.n_open == 0)


def test_without_a_token_it_is_the_same() -> None:
    with serving(limits=QUICK) as server, ExitStack() as crowd:
        said = [said for what, said in HALF.items() if what != "a frame"]  # that socket is open, and pings end it
        opened = [crowd.enter_context(server.connect(half)) for half in said]
        assert all(read_to_the_end(one) is not None for one in opened)
        until(lambda: server.n_open == 0)


def goes_on(opened: socket.socket) -> bool:
    """Say one more letter, after a moment in which the server could answer; False if nobody is there to hear it."""
    with suppress(TimeoutError):
        while opened.recv(65_536):
            pass
    try:
        opened.sendall(b"a")
    except ConnectionError:
        return False
    return True


def is_dropped_in_the_end(opened: socket.socket) -> bool:
    opened.settimeout(0.02)
    with suppress(ConnectionError):
        return any(not goes_on(opened) for _ in range(1000))
    return True


def test_who_goes_on_a_letter_at_a_time_is_hung_up_on_too() -> None:
    with serving(LOCKED, QUICK) as server:
        for said in (HALF["a form"], HALF["a body"], CHUNKED, ALIVE + "GET / HTTP/1.1\r\n"):
            with server.connect(said) as opened:
                assert is_dropped_in_the_end(opened), said


@pytest.mark.parametrize(
    "said", ["GET /much HTTP/1.1\r\nHost: {host}\r\n\r\n", UPGRADE + "\r\n", ALIVE * 20_000], ids=len
)
def test_who_does_not_listen_is_hung_up_on(said: str) -> None:
    with serving(limits=QUICK) as server, server.connect() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.settimeout(0.5)
        with suppress(TimeoutError, ConnectionError):
            opened.sendall(said.replace("{host}", f"localhost:{server.port}").encode())
            if said.startswith(UPGRADE):
                assert opened.recv(12) == b"HTTP/1.1 101"
                opened.sendall(b"\x81\x82\0\0\0\0hi")  # a masked frame, after which much is sent
        until(lambda: server.n_open == 0)


def test_time_is_counted_for_each_request_alone() -> None:
    with serving(limits=QUICK) as server:
        busy = http.client.HTTPConnection("localhost", server.port, timeout=60)
        busy.connect()
        busy.auto_open = 0  # one connection or none
        for _ in range(3):
            with server.connect() as silent:
                while not is_hung_up(silent):  # as long as that, and again, another goes on asking
                    busy.request("GET", "/")
                    assert busy.getresponse().read() == b"0"
        busy.close()


def test_a_body_that_takes_longer_than_headers_may_is_read() -> None:
    limits = Limits(headers_s=0.1, body_s=600, tick_s=0.02)
    with serving(limits=limits) as server, server.connect(HEAD.format(path="/")) as opened:
        with server.connect() as silent:
            read_to_the_end(silent)
        opened.sendall(bytes(97))
        assert read_to_the_end(opened).endswith(b"100")


@pytest.mark.parametrize("limits", [QUICK, PATIENT], ids=["hung up on", "hangs up"])
def test_a_body_that_breaks_off_is_no_error(limits: Limits, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(limits=limits) as server:
        with server.connect(HALF["a body"]) as opened:
            until(lambda: server.server.server_state.tasks)
            if limits is QUICK:
                read_to_the_end(opened)
        until(lambda: not server.server.server_state.tasks)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err


# ---- and there are not too many


def test_hundreds_who_say_half_a_sentence_keep_nobody_out() -> None:
    with serving(LOCKED, PATIENT) as server, ExitStack() as crowd:
        cookie = signed_in(server)
        for n, said in zip(range(400), cycle(HALF.values()), strict=False):
            crowd.enter_context(server.connect(said))
            if n % 20 == 19:
                assert server.status("/", cookie) == 200
                assert server.status("/", cookie, source="127.0.0.2") == 200
        assert server.status(f"/?token={TOKEN}") == 303
        until(lambda: server.n_open <= PATIENT.per_address)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has only 127.0.0.1 on loopback")
def test_many_visitors_together_keep_nobody_out_either() -> None:
    with serving(LOCKED, PATIENT) as server, ExitStack() as crowd:
        for n in range(200):
            crowd.enter_context(server.connect("GET / HT", source=f"127.0.{n % 100}.7"))
            if n % 20 == 19:
                assert server.status(f"/?token={TOKEN}") == 303
        until(lambda: server.n_open <= PATIENT.in_all)


def test_strangers_go_before_who_has_signed_in() -> None:
    with serving(LOCKED, PATIENT) as server, ExitStack() as crowd:
        head = (
            "POST /upload HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 100\r\n"
            + signed_in(server)
            + "\r\n\r\nfirst"
        )
        upload = crowd.enter_context(server.connect(head))
        until(lambda: any(one.visitor.is_known for one in server.server.server_state.connections))
        for _ in range(100):
            crowd.enter_context(server.connect(HALF["a form"]))
        assert server.status(f"/?token={TOKEN}") == 303
        upload.sendall(bytes(95))
        assert read_to_the_end(upload).endswith(b"100")


def test_where_all_are_being_served_a_newcomer_waits_for_one_to_leave() -> None:
    with serving(limits=PATIENT) as server, ExitStack() as crowd:
        opened = [crowd.enter_context(server.connect(UPGRADE + "\r\n")) for _ in range(PATIENT.per_address)]
        assert all(one.recv(65_536).startswith(b"HTTP/1.1 101") for one in opened)
        with server.connect(ALIVE) as refused:
            assert read_to_the_end(refused) == b""
        assert server.status(source="127.0.0.2") == 200
        opened[0].close()
        until(lambda: server.n_open < PATIENT.per_address)
        assert server.status() == 200


def test_a_named_proxy_brings_more_than_one_visitor() -> None:
    access = Access(proxies=frozenset({"127.0.0.1/32"}))
    with serving(access, PATIENT) as server, ExitStack() as crowd:
        opened = [crowd.enter_context(server.connect(UPGRADE + "\r\n")) for _ in range(PATIENT.per_address + 5)]
        assert all(one.recv(65_536).startswith(b"HTTP/1.1 101") for one in opened)


def test_connections_leave_files_for_the_rest() -> None:
    resource = pytest.importorskip("resource")
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert 0 < Limits().per_address <= Limits().in_all
    assert allowed < 0 or Limits().in_all <= allowed / 2
