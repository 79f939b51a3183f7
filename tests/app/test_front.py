"""What is answered before Streamlit is there, and how the rest waits for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit.testing.v1 import AppTest

from app.server import first_page as page_module
from app.server.addresses import PAGES
from app.server.early_routes import early_routes
from app.server.first_page import scripts_of
from app.server.first_pictures import first_request
from app.server.front import FAILED, Dashboard, Front
from app.server.plain_files import FOREVER, plain_files, streamlit_static
from app.server.plotly_script import plotly_address
from app.server.recordings import recorded_trace
from compecon.benchmarks.runs_made import make_runs
from compecon.runs.folder import STATUS
from compecon.runs.home import Home
from compecon.runs.run_record import RunState
from compecon.runs.store import RunStore
from compecon.views.attention.example_texts import FIRST_PAIR, examples, examples_for
from compecon.views.attention.traces import TraceKey
from tests.support import pages
from tests.support.pages import canvas_of

ROOT = Path(__file__).resolve().parents[2]
RECORDED = TraceKey("sentiment", examples_for("sentiment")[0].text).name
OTHER = examples_for("similarity")[0]
ADDRESSES: tuple[dict[str, str], ...] = (
    {},
    {"k": "3", "layer": "1", "head": "5", "view": "received", "tokens": "content", "unit": "bits"},
    {"k": "-1", "layer": "x", "view": "sideways", "tiles": "pictures", "statistic": "entropy"},
    {"size": "0.3", "k": "2"},
    {"checkpoint": "sentiment-45-taylor"},
    {"checkpoint": "sentiment-elastic", "size": "0.3"},
    {"checkpoint": "similarity", "text": OTHER.text, "pair": OTHER.pair},
    {"checkpoint": "similarity"},
    {"text": "a text of mine"},
    {"device": "cpu"},
    {"device": "toaster"},
    {"policy": "random"},
    {"checkpoint": "none"},
    {"text": "</template><script>alert(1)</script>"},
    *({"checkpoint": e.checkpoint, "text": e.text, "pair": e.pair} for e in examples()),
)


async def _late(_request: Request) -> Response:
    return PlainTextResponse("late")


@contextmanager
def fronting(build: Callable[[], Dashboard], **options: Any) -> Iterator[TestClient]:
    with TestClient(Front(early_routes(), build, **options), base_url="http://localhost") as client:
        yield client


def dashboard() -> Dashboard:
    return Starlette(routes=[Route("/late", _late)]), nullcontext()


# ---- who waits, and who does not


def test_pages_files_and_recordings_do_not_wait_for_streamlit_and_the_rest_does() -> None:
    imported, answers = threading.Event(), list[str]()

    def build() -> Dashboard:
        imported.wait()
        return dashboard()

    with fronting(build) as client, ExitStack() as afterwards:
        afterwards.callback(imported.set)  # else a failure would wait for ever
        waiting = threading.Thread(target=lambda: answers.append(client.get("/late").text))
        waiting.start()
        asked = first_request({})
        assert asked is not None
        early = [*(f"/{page}" for page in PAGES), asked["source"]["url"], *list(plain_files())[:20]]
        assert {path: client.get(path).status_code for path in early} == dict.fromkeys(early, 200)
        assert answers == []
        imported.set()
        waiting.join(30)
        assert answers == ["late"]


def test_what_keeps_streamlit_from_starting_is_answered_and_ends_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.server.front.FAREWELL_S", 0)
    given_up = threading.Event()

    def build() -> Dashboard:
        raise RuntimeError("a broken installation")

    with fronting(build, give_up=given_up.set) as client:
        answer = client.get("/_stcore/health")
        assert (answer.status_code, answer.text) == (503, FAILED)
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
            pass
        assert given_up.wait(30)
        assert client.get("/").status_code == 200  # the page that says so
        assert isinstance(client.app, Front)
        assert client.app.failed


def test_it_says_when_it_answers() -> None:
    listening = threading.Event()
    with fronting(dashboard, listening=listening.set):
        assert listening.is_set()


def test_websockets_reach_the_dashboard() -> None:
    async def echo(socket: Any) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close()

    routes = [WebSocketRoute("/_stcore/stream", echo)]
    with (
        fronting(lambda: (Starlette(routes=routes), nullcontext())) as client,
        client.websocket_connect("/_stcore/stream") as socket,
    ):
        socket.send_text("hello")
        assert socket.receive_text() == "hello"


def test_streamlit_starts_without_a_look_at_every_installed_package() -> None:
    script = """
import asyncio, importlib.metadata as metadata
from app.server.access import Access
from app.server.serve import dashboard

async def start():
    app, running = dashboard(Access(), ("127.0.0.1", 8501))
    looks, found = [], metadata.distributions
    metadata.distributions = lambda **options: looks.append(1) or found(**options)
    async with running:
        print(len(looks))

asyncio.run(start())
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


# ---- files


def test_a_file_that_a_browser_has_is_not_sent_again() -> None:
    with fronting(dashboard) as client:
        for path, file in list(plain_files().items())[::25]:
            answer = client.get(path)
            assert answer.content == file.content
            is_kept = path.startswith("/static/") or file.path.name == "plotly.min.js"
            assert answer.headers["cache-control"] == (FOREVER if is_kept else "no-cache")
            again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("visitor", "accepts", "is_packed"),
    [
        ("10.0.0.7", "gzip, deflate, br", True),
        ("10.0.0.7", "br;q=1.0, GZIP ; q=0.5", True),
        ("10.0.0.7", "gzip;q=0", False),
        ("10.0.0.7", "gzip;q=0.000, br", False),
        ("10.0.0.7", "gzip;q=much", False),
        ("10.0.0.7", "identity", False),
        ("10.0.0.7", "", False),
        ("127.0.0.1", "gzip, deflate, br", False),
        ("::1", "gzip", False),
    ],
)
def test_what_comes_from_another_machine_is_packed_and_what_comes_from_this_one_is_not(
    visitor: str, accepts: str, is_packed: bool
) -> None:
    late = Route("/late", lambda request: PlainTextResponse(request.headers.get("accept-encoding", "none")))
    front = Front(early_routes(), lambda: (Starlette(routes=[late]), nullcontext()))
    recording = f"/compecon/trace/{RECORDED}"
    with TestClient(front, base_url="http://localhost", client=(visitor, 5)) as client:
        client.headers["accept-encoding"] = accepts
        for path in ("/compecon/plotly.js", "/compecon/canvas/main.js", recording):
            answer = client.get(path)
            expected = recorded_trace(RECORDED) if path == recording else plain_files()[path].content
            assert answer.content == expected
            assert (answer.headers.get("content-encoding") == "gzip") == is_packed
            assert answer.headers["vary"] == "Accept-Encoding"
            if is_packed:
                assert int(answer.headers["content-length"]) < len(answer.content)
            if path != recording:
                again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
                assert (again.status_code, again.headers["vary"]) == (304, "Accept-Encoding")
        assert client.get("/late").text == ("none" if visitor != "10.0.0.7" else accepts)


def test_a_packed_copy_is_another_than_a_plain_one() -> None:
    with fronting(dashboard) as client:
        plain, packed = (
            client.get("/compecon/canvas/main.js", headers={"accept-encoding": how}) for how in ("identity", "gzip")
        )
        assert plain.headers["etag"] != packed.headers["etag"]


def test_every_file_of_streamlit_is_there() -> None:
    files = {path for path in (streamlit_static() / "static").rglob("*") if path.is_file()}
    assert files == {file.path for path, file in plain_files().items() if path.startswith("/static/")}


# ---- the first picture


def asked_by(page: AppTest) -> dict[str, Any]:
    [canvas] = page.get("bidi_component")
    [read] = json.loads(canvas.proto.json)
    return {**read, "python": ""}  # the one thing that needs more than files


FOLDERS = {"": "canvas", "compare": "compare", "train": "runs", "frontier": "frontier", "allocation": "allocation"}
ALLOCATIONS: tuple[dict[str, str], ...] = (
    {},
    {"budget": "40", "query": "7", "order": "price"},
    {"budget": "9999", "query": "9999", "order": "sideways"},
    {"stream": "similarity-keys", "rule": "greedy", "service": "0.3", "money": "2"},
    {"stream": "Balanced", "belief": "surge", "noise": "0.2", "money": "2.5", "part": "gains"},
    {"stream": "sentiment-sizes", "rule": "cascade"},
    {"stream": "none", "rule": "__class__", "noise": "nan", "belief": "<b>"},
)


def test_the_first_allocation_is_the_one_that_streamlit_shows_later() -> None:
    with fronting(dashboard) as client:
        for params in ALLOCATIONS:
            html = client.get("/allocation", params=params).text
            [source] = re.findall(r'data-source="([^"]*)"', html)
            late = canvas_of(pages.open_page("allocation", **params))
            assert client.get(unescape(source)).json() == late, params
        assert client.get("/compecon/first/allocation?stream=file").status_code == 404
        assert client.get("/compecon/first/none").status_code == 404


COMPARISONS: tuple[tuple[dict[str, str], bool], ...] = (
    ({}, True),
    ({"k": "3", "layer": "1", "head": "0", "view": "received", "unit": "bits", "part": "text"}, True),
    ({"k": "-3", "layer": "9e9", "view": "evil", "statistic": "__proto__"}, True),
    ({"a": FIRST_PAIR[1], "b": FIRST_PAIR[0]}, True),
    ({"policy": "no such policy", "device": "toaster", "table": "a|b"}, True),
    ({"policy": "random"}, False),
    ({"text": "Mine."}, False),
    ({"text": " "}, False),
    ({"pair": "Two."}, False),
    ({"b": FIRST_PAIR[0]}, False),
    ({"a": "/nowhere"}, False),
    ({"a": "<img src=x onerror=alert(1)>"}, False),
    ({"device": "cpu"}, False),
    ({"part": "dataset"}, False),
)


def test_the_first_comparison_is_the_one_that_streamlit_shows_later() -> None:
    with fronting(dashboard) as client:
        for params, is_recorded in COMPARISONS:
            answer = client.get("/compecon/first/compare", params=params)
            assert answer.status_code == (200 if is_recorded else 404), params
            has_picture = "compecon-first" in client.get("/compare", params=params).text
            is_known = is_recorded and "policy" not in params  # the page itself forgives more
            assert has_picture == is_known or params == {"b": FIRST_PAIR[0]}, params
            if is_recorded:
                assert answer.json() == canvas_of(pages.open_page("compare", **params)), params


def test_the_first_list_is_the_one_that_streamlit_shows_later(monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(Home.default().made())
    newest = make_runs(store, 60)
    last, lost = f"train-{1:012x}", f"train-{61:012x}"
    addresses: tuple[tuple[dict[str, str], bool], ...] = (
        ({}, True),
        ({"sort": "run"}, True),
        ({"sort": "-submitted_at", "run": last, "part": "log"}, True),
        ({"sort": "__class__"}, True),
        ({"run": newest}, True),
        ({"run": "train-ffffffffffff"}, False),
    )
    with fronting(dashboard) as client:
        for params, is_shown in addresses:
            answer = client.get("/compecon/first/train", params=params)
            assert answer.status_code == (200 if is_shown else 404), params
            if is_shown:
                assert answer.json() == canvas_of(pages.open_page("train", **params)), params
        for name in ("words", "state", "sweep", "new"):
            assert "compecon-first" not in client.get("/train", params={name: "x"}).text
        folder = store.folder(lost)
        shutil.copytree(store.folder(newest), folder)
        status = json.loads((folder / STATUS).read_text())
        (folder / STATUS).write_text(json.dumps({**status, "state": RunState.LOST}))
        assert client.get("/compecon/first/train").status_code == 404  # a warning stands above the list
        monkeypatch.setenv("COMPECON_HOME", str(store.home.root / "empty"))
        assert client.get("/compecon/first/train").status_code == 404


FRONTIERS: tuple[tuple[dict[str, str], bool], ...] = (
    ({}, True),
    (
        {"task": "stsb", "x": "parameters", "y": "quality", "log": "True", "keys": "4", "chosen": "bundled/sentiment"},
        True,
    ),
    ({"ask": "floor"}, True),
    ({"ask": "change", "change": "0.02", "hidden": "taylor|fisher", "dominated": "False"}, True),
    ({"ceiling": "1", "part": "families"}, True),
    ({"x": "money", "log": "perhaps", "ask": "nicely", "ceiling": "1e9", "keys": "abc", "chosen": "x" * 5000}, True),
    ({"task": "nothing"}, False),
    ({"task": "../.."}, False),
)


def test_the_first_frontier_is_the_one_that_streamlit_shows_later() -> None:
    with fronting(dashboard) as client:
        for params, is_shown in FRONTIERS:
            [source] = re.findall(r'data-source="([^"]*)"', client.get("/frontier", params=params).text)
            answer = client.get(unescape(source))
            assert answer.status_code == (200 if is_shown else 404), params
            if is_shown:
                assert answer.json() == canvas_of(pages.open_page("frontier", **params)), params


def test_no_first_picture_needs_streamlit_plotly_or_data_frames() -> None:
    script = (
        "import sys; from app.server.first_pictures import first_data; import app.server.serve; "
        "pages = ['compare', 'train', 'frontier', 'allocation']; found = [first_data(page, {}) for page in pages]; "
        "heavy = {'streamlit', 'plotly', 'pandas', 'pyarrow', 'PIL', 'torch', 'transformers'}; "
        "print([data is not None for data in found], heavy & {name.partition('.')[0] for name in sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[True, False, True, True] set()"  # no runs, no list


def test_only_the_frontier_loads_plotly_ahead_and_from_where_its_plot_does() -> None:
    with fronting(dashboard) as client:
        ahead = {
            page: re.findall('<link rel="preload" as="script" href="([^"]+)">', client.get(f"/{page}").text)
            for page in PAGES
        }
    assert ahead == {page: [plotly_address()] if page == "frontier" else [] for page in PAGES}


def test_what_is_shown_first_is_what_streamlit_shows_later(open_page: Callable[..., AppTest]) -> None:
    for params in ADDRESSES:
        early, late = first_request(params), asked_by(open_page(**params))
        is_recorded = late["source"]["body"] is None
        is_known = params.get("checkpoint") != "none"  # only the disk knows users' folders
        assert early == (late if is_recorded and is_known else None), params


def test_the_page_carries_the_request_and_the_plain_page_nothing() -> None:
    with fronting(dashboard) as client:
        for params in ADDRESSES:
            html, asked = client.get("/", params=params).text, first_request(params)
            [held] = re.findall(r'data-request="([^"]*)"', html) or [None]
            assert (None if held is None else json.loads(unescape(held))) == asked, params
            assert ("alert(1)" in html) is False
        for page in PAGES[1:]:
            assert ("compecon-first" in client.get(f"/{page}").text) == (page != "help"), page
        assert "compecon-first" not in client.get("/allocation", params={"stream": "file"}).text
        assert "compecon-first" not in client.get("/compare", params={"part": "table"}).text


def test_everything_that_the_page_names_is_there() -> None:
    with fronting(dashboard) as client:
        html = client.get("/").text
        named = [unescape(address) for address in re.findall(r'(?:href|src)="([^"]+)"', html.split("</head>")[0])]
        missing = [a for a in named if a.removeprefix(".").partition("?")[0] not in plain_files()]
        assert sorted(missing) == ["./_stcore/agent/openapi.json", f"/compecon/trace/{RECORDED}"]
        for page, canvas in FOLDERS.items():
            preloaded = re.findall(r'rel="modulepreload" href="([^"]+)"', client.get(f"/{page}").text)
            front, own = (scripts_of(f"/compecon/{name}.js") for name in ("front/first_picture", f"{canvas}/main"))
            assert preloaded == list(dict.fromkeys([*front, *own]))
        assert "/compecon/allocation/main.js" in preloaded


def test_a_page_of_streamlit_that_we_do_not_know_is_served_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "_SCRIPT", re.compile("no such script"))
    page_module._streamlits_page.cache_clear()
    try:
        with fronting(dashboard) as client:
            html = client.get("/").text
        assert "compecon-first" not in html
        assert '<script type="module" crossorigin src="./static/js/index.' in html
    finally:
        page_module._streamlits_page.cache_clear()
