"""The token: how a visitor gives it, what the browser keeps instead, and how often one may guess."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

from app.server import signin
from app.server.access import Access
from app.server.signin import MAX_WRONG, PATH, WINDOW_S, SignIn
from tests.security.conftest import HEADERS, OURS, TOKEN, handshake

LOCKED = Access(token=TOKEN)
PAGE = {"accept": "text/html,*/*"}
ELSEWHERE = [
    "//evil.example/a",
    "/\\evil.example",
    "/\\/evil.example",
    "///evil.example",
    "/\t/evil.example",
    "/\n//e.e",
]
Make = Callable[..., TestClient]


@pytest.fixture
def locked(guarded: Make) -> TestClient:
    return guarded(LOCKED)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that doors made in this test go by, as the only entry of a list."""
    now = [1000.0]
    made = SignIn.__init__
    monkeypatch.setattr(SignIn, "__init__", lambda self, token: made(self, token, lambda: now[0]))
    return now


def cookie_of(answer: Any) -> Any:
    [morsel] = SimpleCookie(answer.headers["set-cookie"]).values()
    return morsel


def kept(client: TestClient) -> str:
    """The cookies of a client as a header."""
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


# ---- without the token


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/", "/attention", "/static/js/a.js", "/media/a", "/_stcore/health", "/compecon/health", "/nowhere"]
)
def test_nothing_is_answered_without_the_token(locked: TestClient, method: str, path: str) -> None:
    answer = locked.request(method, path)
    assert answer.status_code == 401
    assert "hello" not in answer.text
    assert "set-cookie" not in answer.headers
    assert all(name in answer.headers for name in HEADERS)


def test_a_closed_address_does_not_say_so_to_strangers(locked: TestClient) -> None:
    assert locked.get("/_stcore/metrics").status_code == 401


def test_no_websocket_opens_without_the_token(locked: TestClient) -> None:
    assert handshake(locked) == 401
    assert handshake(locked, origin="http://localhost:8501") == 401


def test_a_foreign_host_is_refused_before_it_is_asked_for_a_token(locked: TestClient) -> None:
    assert locked.get("/", params={"token": TOKEN}, headers={"host": "evil.example"}).status_code == 400


def test_a_browser_is_asked_on_a_page_that_loads_nothing(locked: TestClient) -> None:
    answer = locked.get("/attention?text=a", headers=PAGE)
    assert answer.status_code == 401
    assert "script" not in answer.text
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert 'name="next" value="/attention?text=a"' in answer.text


@pytest.mark.parametrize(
    "path", ['/"><script>alert(1)</script>', "/?a=\"><img src=x onerror='x'>", "/?x=%22%3E%3Cb%3E"]
)
def test_the_address_is_no_markup_on_the_page_that_asks(locked: TestClient, path: str) -> None:
    page = locked.get(path, headers=PAGE).text
    assert len(re.findall("<(script|img|b)[ >]", page)) == 0
    [onwards] = re.findall('name="next" value="([^"]*)"', page)
    assert html.unescape(onwards).startswith("/")


# ---- the token in the address


@pytest.mark.parametrize(
    ("asked", "onwards"),
    [
        ("/?token={}", "/"),
        ("/attention?token={}", "/attention"),
        ("/attention?text=a%26b&token={}&k=3", "/attention?text=a%26b&k=3"),
        ("/?%74oken={}", "/"),
        ("/?token={}&token=again", "/"),
        ("/a%20b?token={}", "/a%20b"),
    ],
)
def test_the_right_token_gives_a_cookie_and_the_address_without_it(
    locked: TestClient, asked: str, onwards: str
) -> None:
    answer = locked.get(asked.format(TOKEN))
    assert (answer.status_code, answer.headers["location"]) == (303, onwards)
    assert all(name in answer.headers for name in HEADERS)
    assert TOKEN not in str(answer.headers) + answer.text
    assert locked.get("/").text == "hello"


def test_the_cookie_is_for_this_server_alone_and_holds_no_token(locked: TestClient) -> None:
    given = cookie_of(locked.get("/", params={"token": TOKEN}))
    assert given["httponly"]
    assert (given["samesite"], given["path"], given["domain"], given["secure"]) == ("strict", "/", "", "")
    assert TOKEN not in given.value
    assert len(given.value) == 64


def test_over_tls_the_cookie_stays_there(guarded: Make) -> None:
    client = guarded(LOCKED, base_url="https://localhost")
    assert cookie_of(client.get("/", params={"token": TOKEN}))["secure"]


def asked_at(port: int, cookie: str = "") -> dict[str, Any]:
    return {"type": "http", "server": ("127.0.0.1", port), "headers": [(b"cookie", cookie.encode())]}


def test_a_cookie_opens_the_port_and_the_server_that_gave_it_and_no_other() -> None:
    here, same_token, other_token = SignIn(TOKEN), SignIn(TOKEN), SignIn(TOKEN + "2")
    name, value = here.cookie(asked_at(8501))
    assert here.knows(asked_at(8501, f"{name}={value}"))
    assert not any(door.knows(asked_at(8501, f"{name}={value}")) for door in (same_token, other_token))
    elsewhere, _ = here.cookie(asked_at(8502))
    assert not here.knows(asked_at(8502, f"{name}={value}; {elsewhere}={value}"))


def test_two_dashboards_of_one_machine_keep_their_cookies_side_by_side() -> None:
    doors = {port: SignIn(TOKEN) for port in (8501, 8502)}
    jar = "; ".join("=".join(door.cookie(asked_at(port))) for port, door in doors.items())
    assert all(door.knows(asked_at(port, jar)) for port, door in doors.items())


def test_a_restart_takes_all_cookies_back(guarded: Make) -> None:
    before, after = guarded(LOCKED), guarded(LOCKED)
    before.get("/", params={"token": TOKEN})
    after.cookies.update(dict(before.cookies))
    assert (before.get("/").status_code, after.get("/").status_code) == (200, 401)


def test_with_the_cookie_everything_opens(locked: TestClient) -> None:
    locked.get("/", params={"token": TOKEN})
    assert [locked.request(method, "/media/a").status_code for method in ("GET", "PUT", "DELETE")] == [200] * 3
    assert handshake(locked, origin=f"http://{OURS}", cookie=kept(locked)) == 101


def test_with_the_cookie_another_page_is_still_another_page(locked: TestClient) -> None:
    locked.get("/", params={"token": TOKEN})
    assert handshake(locked, origin="http://localhost:9999", cookie=kept(locked)) == 403
    assert locked.post("/", headers={"origin": "http://localhost:9999"}).status_code == 403
    assert locked.get("/_stcore/metrics").status_code == 404


def test_a_signed_in_visitor_never_keeps_a_token_in_the_address(locked: TestClient) -> None:
    locked.get("/", params={"token": TOKEN})
    answer = locked.get("/?token=anything&k=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?k=1")


@pytest.mark.parametrize("value", ["", "x", "0" * 64, TOKEN, "é", "a" * 5000])
def test_any_other_cookie_is_none(locked: TestClient, value: str) -> None:
    name = cookie_of(locked.get("/", params={"token": TOKEN})).key
    locked.cookies.clear()
    headers = {b"cookie": f"{name}={value}".encode("latin-1")}
    assert locked.get("/", headers=headers).status_code == 401


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 16, "%ff", "\x00"])
def test_a_wrong_token_is_refused_and_not_repeated(locked: TestClient, token: str) -> None:
    answer = locked.get("/", params={"token": token}, headers=PAGE)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "Wrong token" in answer.text
    assert "token=" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_changes_something_cannot_bring_the_token_in_its_address(locked: TestClient, method: str) -> None:
    assert locked.request(method, "/", params={"token": TOKEN}).status_code == 401


def test_a_websocket_cannot_bring_the_token_in_its_address(locked: TestClient) -> None:
    assert handshake(locked, f"/_stcore/stream?token={TOKEN}") == 401


def test_from_a_link_on_another_site_a_page_of_ours_leads_on(locked: TestClient) -> None:
    told = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    answer = locked.get("/?k=1&x=%22%3E&token=" + TOKEN, headers=told)
    assert answer.status_code == 200
    assert cookie_of(answer)["samesite"] == "strict"
    assert 'content="0; url=/?k=1&amp;x=%22%3E"' in answer.text
    assert TOKEN not in answer.text


# ---- the token in the form


def test_the_form_signs_in_and_leads_to_where_one_was_going(locked: TestClient) -> None:
    answer = locked.post(PATH, data={"token": f" {TOKEN}\n", "next": "/attention?text=a%26b"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/attention?text=a%26b")
    assert locked.get("/").text == "hello"


def test_another_site_cannot_send_the_form(locked: TestClient) -> None:
    answer = locked.post(PATH, data={"token": TOKEN}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "content", [b"", b"token", b"token=", b"next=/", b"\xff\xfe", b"token=a&" * 20, b"token=" + b"a" * 10_000, b"{}"]
)
def test_a_form_that_is_none_signs_nobody_in(locked: TestClient, content: bytes) -> None:
    answer = locked.post(PATH, content=content)
    assert answer.status_code in (400, 401)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "elsewhere", [*ELSEWHERE, "http://evil.example", "javascript:alert(1)", "", "//[", "evil.example"]
)
def test_signing_in_never_leads_to_another_site(locked: TestClient, elsewhere: str) -> None:
    answer = locked.post(PATH, data={"token": TOKEN, "next": elsewhere})
    landed = urlsplit(urljoin("http://localhost:8501/x", answer.headers["location"].replace("\\", "/")))
    assert answer.status_code == 303
    assert landed.netloc == "localhost:8501"
    assert answer.headers["location"].startswith("/")
    assert not answer.headers["location"].startswith("//")


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_an_address_with_the_token_never_leads_to_another_site(elsewhere: str) -> None:
    scope = {"type": "http", "method": "GET", "path": elsewhere, "query_string": f"token={TOKEN}".encode()}
    given, here = signin._token_of(scope)
    assert given == TOKEN
    assert re.match(r"/[^/\\]", here)
    assert quote(here, safe="/%:@!$&'()*+,;=~?") == here  # nothing that a browser would drop or read otherwise


# ---- guessing


def wrong(client: TestClient, tries: int) -> list[int]:
    return [client.get("/", params={"token": f"wrong-{n}"}).status_code for n in range(tries)]


def test_after_ten_wrong_tokens_in_a_minute_even_the_right_one_must_wait(clock: list[float], guarded: Make) -> None:
    client = guarded(LOCKED)
    assert wrong(client, MAX_WRONG + 2) == [401] * MAX_WRONG + [429] * 2
    limited = client.get("/", params={"token": TOKEN}, headers=PAGE)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, str(int(WINDOW_S)))
    assert "Wait a minute" in limited.text
    assert client.post(PATH, data={"token": TOKEN}).status_code == 429
    clock[0] += WINDOW_S
    assert client.get("/", params={"token": TOKEN}).status_code == 303


def test_the_form_and_the_address_count_together(guarded: Make) -> None:
    client = guarded(LOCKED)
    assert wrong(client, MAX_WRONG // 2) == [401] * (MAX_WRONG // 2)
    answers = [client.post(PATH, data={"token": "wrong"}).status_code for _ in range(MAX_WRONG // 2 + 1)]
    assert answers == [401] * (MAX_WRONG // 2) + [429]


def test_who_is_signed_in_feels_nothing_of_anothers_guesses(guarded: Make) -> None:
    client = guarded(LOCKED)
    client.get("/", params={"token": TOKEN})
    cookies = dict(client.cookies)
    client.cookies.clear()
    wrong(client, MAX_WRONG + 1)
    client.cookies.update(cookies)
    assert client.get("/").text == "hello"
    answer = client.post(PATH, data={"token": "wrong", "next": "/attention"})  # a page from before they signed in
    assert (answer.status_code, answer.headers["location"]) == (303, "/attention")


def test_looking_without_a_token_is_no_guess(guarded: Make) -> None:
    client = guarded(LOCKED)
    assert [client.get("/").status_code for _ in range(MAX_WRONG * 2)] == [401] * MAX_WRONG * 2
    assert client.get("/", params={"token": TOKEN}).status_code == 303


def test_guesses_are_forgotten_before_they_fill_the_memory() -> None:
    tries = signin._Tries(lambda: 0.0)
    for n in range(2 * signin._MAX_VISITORS):
        tries.count(f"10.0.{n // 256}.{n % 256}")
    assert len(tries._of) == signin._MAX_VISITORS
