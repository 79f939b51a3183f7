"""The dashboard as it is started, asked over plain sockets with whatever headers an attacker would send."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.server.signin import PATH
from compecon.paths import dashboard_root
from tests.security.conftest import CLI, HEADERS, ROOT, SECRET, TOKEN, Server, eventually, messages, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROUTES = """
import threading
from app.server.access import Access
from app.server.early_routes import early_routes
from app.server.plain_files import plain_files
from app.server.serve import dashboard
app, _ = dashboard(Access(), ("127.0.0.1", 8501))
for route in [*early_routes(), *app._build_starlette_app().routes]:
    print(route.path or "/", *sorted(getattr(route, "methods", None) or ["GET"]))
for address in list(plain_files())[::40]:
    print(address, "GET")
"""
FAILS = "import os\nraise RuntimeError('my token is ' + os.environ['HF_TOKEN'])\n"
SERVE_OTHER = (
    f"import os, pathlib, app.server.serve as s; s.dashboard_root = lambda: pathlib.Path(os.environ['OTHER']); {CLI}"
)


# ---- who is answered


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:{}", 200), ("127.0.0.1:{}", 200), ("localhost", 200), ("[::1]:{}", 200),
        ("evil.example:{}", 400), ("evil.example", 400), ("", 400), ("localhost.evil.example:{}", 400),
        ("0.0.0.0:{}", 400), ("192.168.0.7:{}", 400),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/compecon/health", "/static/none.js"])
def test_only_this_machines_names_are_answered(open_server: Server, path: str, host: str, status: int) -> None:
    answer = open_server.ask(path, host=host.format(open_server.port))
    assert (answer.status == 400) is (status == 400)
    assert all(name in answer.headers for name in HEADERS)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:{}", "http://localhost:{}", 101),
        ("127.0.0.1:{}", "http://127.0.0.1:{}", 101),
        ("localhost:{}", None, 101),
        ("localhost:{}", "http://localhost:9999", 403),
        ("localhost:{}", "http://127.0.0.1:{}", 403),
        ("localhost:{}", "http://evil.example", 403),
        ("localhost:{}", "http://evil.example:{}", 403),
        ("localhost:{}", "null", 403),
        ("evil.example:{}", "http://evil.example:{}", 400),
        ("evil.example:{}", None, 400),
        ("evil.example:{}", "http://localhost:{}", 400),
    ],
)
def test_a_websocket_opens_for_our_page_alone(open_server: Server, host: str, origin: str | None, status: int) -> None:
    sent = {} if origin is None else {"Origin": origin.format(open_server.port)}
    assert open_server.shake_hands(host=host.format(open_server.port), **sent).status == status


def mounted() -> list[tuple[str, str]]:
    """Every address that Streamlit or we serve, with something in place of its parameters."""
    done = subprocess.run(
        [sys.executable, "-c", ROUTES], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("/")]
    return [(re.sub(r"\{[^}]*\}", "x", path), method) for path, *methods in lines for method in methods]


@pytest.fixture(scope="module")
def addresses() -> list[tuple[str, str]]:
    found = mounted()
    assert {path for path, _ in found} >= {"/_stcore/stream", "/_stcore/metrics", "/media/x", "/compecon/sweep"}
    return found


def test_no_address_answers_under_a_foreign_name(open_server: Server, addresses: list[tuple[str, str]]) -> None:
    answered = {(path, open_server.ask(path, method, host="evil.example").status) for path, method in addresses}
    assert {status for _, status in answered} == {400}


def test_no_address_answers_without_the_token(shared_server: Server, addresses: list[tuple[str, str]]) -> None:
    answers = [shared_server.ask(path, method) for path, method in addresses]
    assert {answer.status for answer in answers} == {401}
    assert all(name in answer.headers for answer in answers for name in HEADERS)
    assert not any(answer.cookies for answer in answers)


def test_no_address_answers_a_form_of_another_site(open_server: Server, addresses: list[tuple[str, str]]) -> None:
    for path, method in addresses:
        if method not in ("GET", "HEAD"):
            assert open_server.ask(path, method, Origin="http://localhost:9999").status == 403


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/auth/login", "/oauth2callback"])
def test_what_tells_things_and_is_not_needed_is_closed(open_server: Server, path: str) -> None:
    assert open_server.ask(path).status == 404


# ---- with a token


def test_the_token_opens_http_and_websocket_and_nothing_else_does(shared_server: Server, cookie: str) -> None:
    page, origin = shared_server.ask("/", Cookie=cookie), f"http://{shared_server.host}"
    assert page.status == 200
    assert b"<title>compecon</title>" in page.body
    assert shared_server.shake_hands(Origin=origin).status == 401
    assert shared_server.shake_hands(f"/_stcore/stream?token={TOKEN}", Origin=origin).status == 401
    assert shared_server.shake_hands(Origin=origin, Cookie=cookie).status == 101
    assert shared_server.shake_hands(Origin="http://localhost:9999", Cookie=cookie).status == 403


def test_an_allowed_name_is_answered_and_another_is_not(shared_server: Server, cookie: str) -> None:
    named = f"box.test:{shared_server.port}"
    assert shared_server.ask("/", host=named, Cookie=cookie).status == 200
    assert shared_server.shake_hands(host=named, Origin=f"http://{named}", Cookie=cookie).status == 101
    assert shared_server.ask("/", host="evil.example", Cookie=cookie).status == 400


def test_pages_are_not_kept_and_streamlits_code_is(shared_server: Server, cookie: str) -> None:
    page = shared_server.ask("/", Cookie=cookie)
    script = re.search(rb"static/js/index\.[\w-]+\.js", page.body)
    assert script is not None
    assert page.headers["cache-control"] == "no-store"
    assert shared_server.ask("/compecon/health", Cookie=cookie).headers["cache-control"] == "no-store"
    assert "immutable" in shared_server.ask(f"/{script[0].decode()}", Cookie=cookie).headers["cache-control"]


def test_neither_token_nor_secret_is_in_the_log(shared_server: Server, cookie: str) -> None:
    shared_server.ask("/?token=wrong")
    said = eventually(lambda: "wrong token" in (text := shared_server.log.read_text()) and text, "the wrong token")
    assert TOKEN not in said
    assert SECRET not in said
    assert cookie.partition("=")[2] not in said


def test_hundreds_of_half_sent_forms_keep_nobody_out(shared_server: Server, cookie: str) -> None:
    form = f"POST {PATH} HTTP/1.1\r\nHost: {shared_server.host}\r\nContent-Length: 100\r\n\r\ntok".encode()
    with ExitStack() as crowd:
        for n in range(600):
            crowd.enter_context(socket.create_connection((shared_server.address, shared_server.port), 30)).sendall(form)
            if n % 100 == 99:
                assert shared_server.ask("/").status == 401
                assert shared_server.ask("/", Cookie=cookie).status == 200
        assert shared_server.ask(f"/?token={TOKEN}").status == 303
    assert "Traceback" not in shared_server.log.read_text()


# ---- what comes back


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200), ("/", "HEAD", 200), ("/attention", "GET", 200), ("/attention/", "GET", 301),
        ("/static/js/none.js", "GET", 200), ("/media/none", "GET", 404), ("/_stcore/health", "POST", 405),
        ("/_stcore/host-config", "GET", 200), ("/compecon/none", "GET", 200), ("/compecon/sweep", "POST", 403),
        ("//evil.example", "GET", 400),
    ],
)  # fmt: skip
def test_every_answer_has_the_security_headers(open_server: Server, path: str, method: str, status: int) -> None:
    answer = open_server.ask(path, method)
    assert answer.status == status
    assert all(name in answer.headers for name in HEADERS)


def test_an_upload_without_the_xsrf_token_is_refused(open_server: Server) -> None:
    for method in ("PUT", "DELETE"):
        answer = open_server.ask("/_stcore/upload_file/session/file", method, body=b"x", Content_Type="text/plain")
        assert answer.status == 403


@pytest.mark.parametrize("climb", ["../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "..%5c" * 8, "....//" * 8, "/", "%2f"])
@pytest.mark.parametrize(
    "prefix",
    ["/", "/static/", "/media/", "/_stcore/bidi-components/", "/component/", "/compecon/canvas/", "/compecon/trace/"],
)
def test_no_path_leads_out_of_what_is_served(open_server: Server, prefix: str, climb: str) -> None:
    for wanted in ("etc/passwd", "pyproject.toml", "app/server/guard.py"):
        answer = open_server.ask(f"{prefix}{climb}{wanted}")
        assert b"root:" not in answer.body
        assert b"compecon" not in answer.body
        assert answer.status in (200, 301, 400, 403, 404)  # 200: the empty page of an address that nobody has


# ---- a page that fails


@pytest.fixture(scope="module")
def failing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A dashboard whose page raises an error with a secret of the environment in its message."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "app").mkdir()
    (folder / "app" / "streamlit_app.py").write_text(FAILS)
    shutil.copytree(dashboard_root() / ".streamlit", folder / ".streamlit")
    with running(folder, SERVE_OTHER, OTHER=str(folder)) as server:
        yield server


def test_an_error_on_the_page_names_its_kind_and_nothing_of_the_environment(failing_server: Server) -> None:
    seen = b"".join(messages(failing_server))
    assert b"RuntimeError" in seen
    assert SECRET.encode() not in seen
    assert b"my token is" not in seen
    assert b"Traceback" not in seen


# ---- where it listens


def listens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False


def test_by_default_only_loopback_is_listened_on(open_server: Server, shared_server: Server) -> None:
    assert listens("127.0.0.1", open_server.port)
    assert not listens("127.0.0.2", open_server.port)  # loopback too, but an address that nobody named
    assert listens("127.0.0.2", shared_server.port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7"])  # noqa: S104 - what is refused
def test_another_host_without_a_token_is_refused_in_one_line(host: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLI, "--no-browser", "--host", host],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"compecon: --host \S+ .*token.*\n", done.stderr)


def test_ipv6_loopback_is_served(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    program = f"import sys; sys.argv += ['--host', '::1']; {CLI}"
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
    with running(tmp_path, program, address="::1") as server:
        assert server.ask("/", host=f"[::1]:{server.port}").status == 200
        assert f"http://[::1]:{server.port}" in server.log.read_text()
