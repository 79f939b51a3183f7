"""The guard in front of an application that would answer everybody: what gets through, what is refused and how."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from app.server.access import Access
from app.server.early_routes import early_routes
from app.server.guard import TOKEN_HEADER, Guard, page_token
from app.server.routes import routes
from tests.security.conftest import HEADERS, OURS, SECRET, TOKEN, handshake

PORT = "http://localhost:9999"  # another program of this machine
LOCKED = Access(token=TOKEN)
Make = Callable[..., TestClient]


# ---- host and origin

WEBSOCKETS = [
    # host, origin, status
    (OURS, f"http://{OURS}", 101),
    ("127.0.0.1:8501", "http://127.0.0.1:8501", 101),
    ("[::1]:8501", "http://[::1]:8501", 101),
    (OURS, None, 101),  # a program; every browser sends an origin
    (OURS, f"https://{OURS}", 101),  # TLS ended at a proxy
    (OURS, PORT, 403),
    (OURS, "http://localhost", 403),
    (OURS, "http://127.0.0.1:8501", 403),
    (OURS, "http://evil.example", 403),
    (OURS, "http://evil.example:8501", 403),
    (OURS, "null", 403),
    (OURS, "", 403),
    ("evil.example:8501", "http://evil.example:8501", 400),
    ("evil.example:8501", None, 400),
    ("evil.example:8501", f"http://{OURS}", 400),
    ("", None, 400),
]


@pytest.mark.parametrize(("host", "origin", "status"), WEBSOCKETS)
def test_a_websocket_opens_for_our_page_alone(guarded: Make, host: str, origin: str | None, status: int) -> None:
    assert handshake(guarded(), host=host, **({} if origin is None else {"origin": origin})) == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    ("origin", "status"), [(f"http://{OURS}", 200), (PORT, 403), ("http://evil.example", 403), ("null", 403)]
)
def test_what_may_change_something_comes_from_our_page(guarded: Make, method: str, origin: str, status: int) -> None:
    answer = guarded().request(method, "/anything", headers={"origin": origin})
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_a_second_origin_does_not_hide_the_first(guarded: Make) -> None:
    headers = [("origin", "http://evil.example"), ("origin", f"http://{OURS}")]
    assert guarded().post("/anything", headers=headers).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("method", "mode", "dest", "status"),
    [
        ("GET", "navigate", "document", 200),  # a link, followed
        ("GET", "navigate", "iframe", 403),
        ("GET", "navigate", "object", 403),
        ("GET", "no-cors", "script", 403),
        ("GET", "no-cors", "image", 403),
        ("GET", "cors", "empty", 403),
        ("POST", "navigate", "document", 403),
        ("GET", None, None, 403),
    ],
)
def test_another_site_may_link_to_us_and_nothing_else(
    guarded: Make, site: str, method: str, mode: str | None, dest: str | None, status: int
) -> None:
    told = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    answer = guarded().request(method, "/", headers={k: v for k, v in told.items() if v is not None})
    assert answer.status_code == status


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_page_and_the_address_bar_get_everything(guarded: Make, site: str) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}
    assert guarded().get("/static/x.js", headers=headers).status_code == 200


def test_two_host_headers_are_refused(guarded: Make) -> None:
    answer = guarded().get("/", headers=[("host", OURS), ("host", OURS)])
    assert answer.status_code == 400


def asked_directly(scope: dict[str, Any], access: Access | None = None) -> list[Any]:
    """What the guard sends for a scope that no client would make."""
    sent: list[Any] = []

    async def application(*_: object) -> None:
        sent.append("reached")

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    plain = {"path": "/", "query_string": b"", "headers": [(b"host", OURS.encode())], "client": None}
    asyncio.run(Guard(application, access or Access())({**plain, **scope}, receive, send))
    return sent


def test_a_websocket_without_a_way_to_answer_is_closed() -> None:
    assert asked_directly({"type": "websocket", "headers": [(b"host", b"evil.example")]}) == [
        {"type": "websocket.close", "code": 1008, "reason": ""}
    ]


@pytest.mark.parametrize("path", ["*", "http://evil.example/", ""])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    [start, _] = asked_directly({"type": "http", "method": "GET", "scheme": "http", "path": path})
    assert start["status"] == 400


def test_a_request_without_a_host_is_refused() -> None:
    [start, _] = asked_directly({"type": "http", "method": "GET", "scheme": "http", "headers": []})
    assert start["status"] == 400


def test_the_servers_own_start_and_stop_pass() -> None:
    assert asked_directly({"type": "lifespan"}, LOCKED) == ["reached"]


# ---- addresses that nobody needs


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics", "/_stcore/metrics/", "/_stcore//metrics", "/%5fstcore/metrics", "/_stcore/agent/interact",
        "/_stcore/agent/openapi.json", "/_stcore/agent/mcp", "/_stcore/script-health-check", "/_stcore", "/_stcore/",
        "/_stcore/anything-new", "/auth/login", "/auth/logout", "/oauth2callback", "/component/x/index.html",
        "/app/static/x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_page_does_not_need_is_closed(guarded: Make, path: str, method: str) -> None:
    assert guarded().request(method, path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/", "/attention", "/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/a/b",
        "/_stcore/bidi-components/a.js", "/media/a.csv", "/static/js/a.js", "/favicon.png", "/compecon/health",
    ],
)  # fmt: skip
def test_what_the_page_needs_is_open(guarded: Make, path: str) -> None:
    assert guarded().get(path).status_code == 200


# ---- our own routes


def all_routes() -> list[Any]:
    return [*early_routes(), *routes()]


def flat(mounted: list[Any]) -> list[tuple[str, frozenset[str]]]:
    return [(r.path, frozenset(r.methods or ())) for r in mounted if isinstance(r, Route)]


@pytest.mark.parametrize(("path", "methods"), flat(all_routes()))
def test_a_route_that_changes_something_asks_for_the_pages_token(path: str, methods: frozenset[str]) -> None:
    client = TestClient(Guard(Starlette(routes=all_routes()), Access()), base_url="http://localhost")
    for method in methods - {"GET", "HEAD"}:
        assert client.request(method, path).status_code == 403
        assert client.request(method, path, headers={TOKEN_HEADER: "x" * len(page_token())}).status_code == 403


def test_every_route_of_ours_is_a_route_or_a_folder() -> None:
    assert all(isinstance(route, Route | Mount) for route in all_routes()), "teach these tests the new kind"


# ---- headers

ANSWERS = [
    ("GET", "/", {}, 200),
    ("GET", "/", {"host": "evil.example"}, 400),
    ("POST", "/", {"origin": PORT}, 403),
    ("GET", "/_stcore/metrics", {}, 404),
    ("GET", "/fail", {}, 500),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), ANSWERS)
def test_every_answer_has_the_security_headers(
    guarded: Make, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = guarded().request(method, path, headers=headers)
    assert answer.status_code == status
    assert all(len(answer.headers.get_list(name)) == 1 for name in HEADERS)


def test_the_content_policy_lets_no_script_and_no_picture_of_others_in(guarded: Make) -> None:
    policy = dict(part.split(" ", 1) for part in guarded().get("/").headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == policy["frame-src"] == "'none'"
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:"} & set(policy["script-src"].split())
    assert "connect-src" not in policy  # so that default-src holds for it


def test_a_failure_says_nothing_of_its_cause(guarded: Make) -> None:
    answer = guarded().get("/fail")
    assert answer.status_code == 500
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text


def test_pages_are_kept_nowhere_when_a_token_is_in_use(guarded: Make) -> None:
    locked = guarded(LOCKED)
    assert locked.get("/").headers["cache-control"] == "no-store"
    locked.get("/", params={"token": TOKEN})
    for path in ("/", "/media/a.csv", "/compecon/trace/a", "/fail", "/_stcore/metrics"):
        assert locked.get(path).headers["cache-control"] == "no-store"
    assert "cache-control" not in locked.get("/static/js/a.js").headers  # Streamlit's own code, public and large
    assert "cache-control" not in guarded().get("/").headers
