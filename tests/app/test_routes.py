"""The canvas' own addresses: who may ask, what is refused and how, and the bytes that come back."""

from __future__ import annotations

import json
import math
import posixpath
import re
import struct
from collections.abc import Iterator
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.models.model_processes import ModelProcesses, models
from app.server.addresses import CANVASES, PREFIX
from app.server.guard import TOKEN_HEADER, page_token
from app.server.routes import MAX_BODY
from compecon.paths import assets
from compecon.views.attention.example_texts import examples_for
from compecon.views.attention.frames import Message, decode
from compecon.views.attention.traces import TraceKey, read_index

TEXT = "Not bad at all."
BODY: dict[str, Any] = {"checkpoint": "sentiment", "device": "cpu", "text": TEXT}
HEADERS = ("x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy")
RECORDED = TraceKey("sentiment", examples_for("sentiment")[0].text).name


def post(http: TestClient, content: bytes | None = None, **fields: Any) -> Any:
    """Ask for a sweep as our page does."""
    data = json.dumps({**BODY, **fields}).encode() if content is None else content
    return http.post("/compecon/sweep", content=data, headers={TOKEN_HEADER: page_token()})


def sentence(response: Any) -> str:
    """The one sentence of a refusal."""
    assert response.headers["content-type"] == "application/json"
    [(name, text)] = response.json().items()
    assert name == "error"
    assert isinstance(text, str)
    assert text.endswith(".")
    return text


# ---- who may ask


@pytest.mark.parametrize("headers", [{}, {TOKEN_HEADER: ""}, {TOKEN_HEADER: "wrong"}, {TOKEN_HEADER: "x" * 5000}])
def test_a_computation_without_the_pages_token_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    for path in ("/compecon/sweep", "/compecon/latency"):
        response = client.post(path, content=json.dumps(BODY), headers=headers)
        assert response.status_code == 403
        assert "own pages" in sentence(response)


def test_a_token_of_other_letters_is_refused(client: TestClient) -> None:
    headers = {TOKEN_HEADER.encode(): "té".encode("latin-1")}
    assert client.post("/compecon/sweep", content=json.dumps(BODY), headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.7"])
@pytest.mark.parametrize("path", ["/compecon/health", "/compecon/canvas/main.js", f"/compecon/trace/{RECORDED}"])
def test_another_host_name_is_refused(client: TestClient, host: str, path: str) -> None:
    assert client.get(path, headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:1234"])
def test_this_machines_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/compecon/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/compecon/sweep", "/compecon/latency"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_computes_is_posted(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path, headers={TOKEN_HEADER: page_token()}).status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("GET", "/compecon/health", "localhost"),
        ("GET", "/compecon/canvas/main.js", "localhost"),
        ("GET", "/compecon/canvas/none.js", "localhost"),
        ("GET", f"/compecon/trace/{RECORDED}", "localhost"),
        ("GET", "/compecon/trace/none", "localhost"),
        ("POST", "/compecon/sweep", "localhost"),
        ("POST", "/compecon/latency", "localhost"),
        ("GET", "/nowhere", "localhost"),
    ],
)
def test_every_answer_has_the_security_headers(client: TestClient, method: str, path: str, host: str) -> None:
    response = client.request(method, path, headers={"host": host})
    assert all(name in response.headers for name in HEADERS)
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert "img-src 'self' data: blob:" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


# ---- what is refused


def test_a_body_over_one_megabyte_is_refused(client: TestClient) -> None:
    response = post(client, b'{"text": "' + b"a" * MAX_BODY + b'"}')
    assert response.status_code == 413
    assert "1 MB" in sentence(response)


def test_a_body_that_never_ends_is_cut_off(client: TestClient) -> None:
    served = 0

    def endless() -> Iterator[bytes]:
        nonlocal served
        while served < 100:
            served += 1
            yield b" " * 100_000

    response = client.post("/compecon/sweep", content=endless(), headers={TOKEN_HEADER: page_token()})
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"extra": 1}, "extra"), ({"text": 3}, "text"), ({"text": None}, "text"), ({"text": "a" * 100_001}, "text"),
        ({"pair": "a" * 100_001}, "pair"), ({"device": "cuda; x"}, "device"), ({"device": "auto\n"}, "device"),
        ({"layer": -1}, "layer"), ({"layer": "0"}, "layer"), ({"layer": 1.5}, "layer"), ({"head": 10**9}, "head"),
        ({"budgets": [0]}, "budgets"), ({"budgets": list(range(1, 66))}, "budgets"), ({"first": 0}, "first"),
        ({"size": 0}, "size"), ({"size": 1.01}, "size"), ({"size": math.nan}, "size"), ({"size": "0.5"}, "size"),
        ({"client": "a" * 41}, "client"), ({"checkpoint": "a" * 1001}, "checkpoint"), ({"checkpoint": ["a"]}, "checkp"),
    ],
)  # fmt: skip
def test_a_field_out_of_its_range_is_refused_by_name(client: TestClient, fields: dict[str, Any], names: str) -> None:
    response = post(client, **fields)
    assert response.status_code == 422
    assert names in sentence(response)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"text": "\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_no_request_is_refused(client: TestClient, content: bytes) -> None:
    response = post(client, content)
    assert response.status_code == 422
    assert sentence(response)


@pytest.mark.parametrize(
    "fields", [{"checkpoint": "none"}, {"checkpoint": "/etc"}, {"checkpoint": "../sentiment"}, {"policy": "best"}]
)
def test_what_is_not_on_the_menu_is_refused(client: TestClient, fields: dict[str, Any]) -> None:
    response = post(client, **fields)
    assert response.status_code == 404
    assert "no longer available" in sentence(response)


def test_a_refusal_never_repeats_a_huge_body(client: TestClient) -> None:
    assert len(post(client, text=["a" * 100_000]).content) < 2000


# ---- what comes back


def headers_of(data: bytes) -> Iterator[dict[str, Any]]:
    """The JSON of each message, read by hand and strictly: NaN, which Python would let through, is an error."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is not JSON")

    at = 0
    while at < len(data):
        length, header_length = struct.unpack_from("<II", data, at)
        yield json.loads(data[at + 8 : at + 8 + header_length], parse_constant=refuse)
        at += 4 + length


def stream(response: Any) -> list[Message]:
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/octet-stream"
    return list(decode(response.content))


def test_a_sweep_streams_every_budget_to_its_end(client: TestClient) -> None:
    messages = stream(post(client))
    n = len(messages[0].fields["tokens"])
    assert (messages[0].kind, messages[-1].kind) == ("open", "done")
    assert sorted(m.fields["k"] for m in messages if m.kind == "frame") == list(range(1, n + 1))
    assert np.isfinite(messages[1].arrays["weights"]).all()


def test_a_single_budget_can_be_asked_for(client: TestClient) -> None:
    messages = stream(post(client, budgets=[2]))
    assert [m.fields["k"] for m in messages if m.kind == "frame"] == [len(messages[0].fields["tokens"]), 2]


@pytest.mark.parametrize("fields", [{"layer": 9_999}, {"head": 9_999}, {"first": 100_000}, {"budgets": [100_000]}])
def test_places_beyond_the_model_are_moved_into_it(client: TestClient, fields: dict[str, Any]) -> None:
    assert stream(post(client, **fields))[-1].kind == "done"


@pytest.mark.parametrize("text", [TEXT, "<img src=x onerror=alert(1)>", "Not bad: \0 \u202e \U0001f600 ﷺ", "a"])
@pytest.mark.parametrize("policy", ["top-k", "top-mass"])
def test_nan_is_never_in_the_json(client: TestClient, text: str, policy: str) -> None:
    kinds = [header["kind"] for header in headers_of(post(client, text=text, policy=policy).content)]
    assert kinds[-1] == "done"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"text": "word " * 600}, "more than the limit of 512"),
        ({"text": "\u200b"}, ""),
        ({"text": "\U0001f600 \u5f71"}, "does not know 2"),
    ],
)
def test_a_text_the_model_cannot_read_is_an_error_message(
    client: TestClient, fields: dict[str, Any], says: str
) -> None:
    [message] = stream(post(client, **fields))
    assert message.kind == "error"
    assert says in message.fields["error"].lower()
    assert message.fields["error"].endswith(".")


@pytest.mark.parametrize(
    ("fields", "says"), [({"text": " "}, "empty"), ({"checkpoint": "similarity"}, "second one is missing")]
)
def test_what_the_page_would_not_ask_is_refused_from_anybody(
    client: TestClient, fields: dict[str, Any], says: str
) -> None:
    response = post(client, **fields)
    assert response.status_code == 422
    assert says in sentence(response)


def test_the_same_question_is_answered_from_memory(client: TestClient) -> None:
    first = post(client, text="Ask me twice.")  # whose last message says how long it took
    assert post(client, text="Ask me twice.", client="another").content == first.content


def test_a_recording_is_the_bundled_one(client: TestClient) -> None:
    response = client.get(f"/compecon/trace/{RECORDED}")
    assert stream(response)[-1].kind == "done"


@pytest.mark.parametrize("name", read_index())
def test_every_recording_is_strict_json(client: TestClient, name: str) -> None:
    assert [h["kind"] for h in headers_of(client.get(f"/compecon/trace/{name}").content)][-1] == "done"


@pytest.mark.parametrize(
    "name", ["none", "index.json", f"{RECORDED}.bin.gz", "..", "%2e%2e%2findex.json", "a%00b", "é"]
)
def test_a_recording_that_is_not_in_the_index_is_refused(client: TestClient, name: str) -> None:
    assert client.get(f"/compecon/trace/{name}").status_code == 404


@pytest.fixture
def warmed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The checkpoints that are to be loaded in advance."""
    names = list[str]()
    monkeypatch.setattr(models(), "warm_up", names.append)
    return names


def test_a_recordings_checkpoint_is_loaded_in_advance(client: TestClient, warmed: list[str]) -> None:
    client.get(f"/compecon/trace/{RECORDED}")
    client.get("/compecon/trace/some-folder-of-mine")
    assert warmed == ["sentiment"]


@pytest.mark.parametrize(
    "path",
    [
        "/compecon/canvas/../texts/examples.json",
        "/compecon/canvas/%2e%2e/texts/examples.json",
        "/compecon/canvas/..%2ftexts/examples.json",
        "/compecon/canvas/%2e%2e%2f%2e%2e%2fpyproject.toml",
        "/compecon/canvas//etc/passwd",
        "/compecon/canvas/..%5ctexts%5cexamples.json",
        "/compecon/canvas/",
        "/compecon/canvas/none.js",
    ],
)
def test_only_the_canvas_own_files_are_served(client: TestClient, path: str) -> None:
    assert client.get(path, follow_redirects=False).status_code in (404, 405)


SCRIPTS = sorted(path for folder in CANVASES for path in (assets() / folder).glob("*.js"))


def test_the_canvases_code_is_served_as_javascript(client: TestClient) -> None:
    wrong = []
    for path in SCRIPTS:
        response = client.get(f"{PREFIX}/{path.parent.name}/{path.name}")
        served = response.status_code, response.headers["content-type"].split(";")[0], response.content
        if served != (200, "text/javascript", path.read_bytes()):
            wrong.append(path.name)
    assert SCRIPTS
    assert wrong == []


def test_what_a_script_imports_is_served(client: TestClient) -> None:
    """A module that is moved without those that import it would leave a blank page."""
    missing = []
    for path in SCRIPTS:
        for target in re.findall(r'^(?:import|export) [^;]*?from "([^"]+)";', path.read_text("utf-8"), re.MULTILINE):
            address = PurePosixPath(f"{PREFIX}/{path.parent.name}") / target
            if client.get(posixpath.normpath(address)).status_code != 200:
                missing.append(f"{path.name} imports {target}")
    assert missing == []


def test_health_says_whether_a_model_is_ready(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for processes in (ModelProcesses(), SimpleNamespace(is_ready=True)):
        monkeypatch.setattr("app.server.routes.models", lambda p=processes: p)
        assert client.get("/compecon/health").json() == {"ready": processes.is_ready}
