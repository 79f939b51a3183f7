"""What a real browser does with the guard: signing in, other sites, pictures that would phone home."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

from compecon.files.durable import write_json
from compecon.runs.home import Home
from compecon.runs.run_record import RunSpec, RunState, Status
from compecon.runs.store import RunStore
from tests.browser.conftest import Dashboard, sync_api
from tests.security.conftest import CLI, TOKEN, Server, running

HOSTILE = "![x](http://127.0.0.1:{}/beacon) <img src=//127.0.0.1:{}/beacon onerror=alert(1)>"
# A folder's name has no slashes; a browser reads backslashes as such.
FOLDERS = (r"![a](\\\\127.0.0.1:{}\\beacon)", "<img src=x onerror=alert(1)>")
KNOWN = "the film was great , but the end was bad . " * 4  # a text of mostly unknown words is refused


class Elsewhere:
    """Another web server of this machine: remembers who came, and shows one page."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.page = ""
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.paths.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(outer.page.encode())

            do_POST = do_GET  # noqa: N815 - the name is http.server's

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def handle_one_request(self) -> None:
                outer.paths.append("(connected)")
                super().handle_one_request()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port: int = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    one = Elsewhere()
    yield one
    one.close()


@pytest.fixture(scope="module")
def beacon() -> Iterator[Elsewhere]:
    """Whom hostile names and texts would tell."""
    one = Elsewhere()
    yield one
    one.close()


@pytest.fixture(scope="module")
def locked(chromium: str, beacon: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A dashboard with a token, and with checkpoints whose names and labels are pictures for the beacon."""
    del chromium
    from tests.views.conftest import build, tokenizer  # noqa: PLC0415 - only now: imports the models

    folder, hostile = tmp_path_factory.mktemp("hostile"), HOSTILE.format(beacon.port, beacon.port)
    for name in FOLDERS:
        model = build("classification")
        model.config.id2label = {n: f"{hostile} {n}" for n in model.config.id2label}
        model.config.label2id = {label: n for n, label in model.config.id2label.items()}
        place = folder / "own" / name.format(beacon.port)
        model.save_pretrained(place)
        tokenizer(specials=True).save_pretrained(place)
    _leave_a_run(Home(folder / "home"), hostile)
    with running(folder, CLI, COMPECON_TOKEN=TOKEN, COMPECON_CHECKPOINTS=_folders(folder / "own")) as server:
        yield server


def _folders(top: Path) -> str:
    return os.pathsep.join({str(config.parent.parent) for config in top.rglob("config.json")})


def _leave_a_run(home: Home, hostile: str) -> None:
    """A run that failed, and whose every text is a picture for the beacon."""
    store = RunStore(home)
    spec = RunSpec("rehearsal", {"steps": 3, "note": hostile}, hostile, hostile[:40], versions={hostile: hostile})
    run_id, lock = store.create(spec)
    assert lock is not None
    row = {"text": hostile, "target": hostile, "prediction": hostile, "parent_prediction": hostile, "loss": 1.0}
    results = {"sentence": hostile, "task": hostile, "parent": hostile, "metric": {"name": hostile, "value": 1.0}}
    status = Status(RunState.FAILED, hostile, stage=hostile, step=1, total=3, host=hostile, results=results)
    write_json(store.folder(run_id) / "status.json", asdict(status))
    examples = {"parent": hostile, "split": hostile, "loss": hostile, "best": [row], "worst": [row]}
    write_json(store.folder(run_id) / "examples.json", examples)
    (store.folder(run_id) / "worker.log").write_text(f"\x1b[31m{hostile}\x1b[0m\n<script>alert(1)</script>\n")
    lock.release()


@pytest.fixture
def visitor(browser: Any, locked: Server) -> Iterator[Dashboard]:
    """A window of its own that has not signed in yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Dashboard(context.new_page(), f"http://{locked.host}")
    context.close()


def await_page(visitor: Dashboard) -> None:
    visitor.settle()


# ---- signing in


def test_the_printed_address_signs_in_and_leaves_no_token_behind(visitor: Dashboard) -> None:
    seen: list[str] = []
    visitor.page.on("request", lambda request: seen.append(request.headers.get("referer", "")))
    visitor.page.goto(f"{visitor.server}/?policy=random&token={TOKEN}")
    await_page(visitor)
    assert TOKEN not in visitor.page.url
    assert "policy=random" in visitor.page.url
    assert visitor.page.evaluate("history.length") <= 2
    assert not any(TOKEN in referer for referer in seen)
    kept = [c for c in visitor.page.context.cookies() if c["name"].startswith("compecon-")]
    assert [(c["httpOnly"], c["sameSite"]) for c in kept] == [(True, "Strict")]
    assert TOKEN not in visitor.page.evaluate("document.cookie + JSON.stringify({...localStorage, ...sessionStorage})")
    assert visitor.errors == []


def test_the_form_signs_in(visitor: Dashboard) -> None:
    page = visitor.page
    page.goto(f"{visitor.server}/?policy=random")
    page.get_by_label("Token").fill("not the right one")
    page.get_by_role("button").click()
    sync_api.expect(page.get_by_role("status")).to_contain_text("Wrong token")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_label("Token").press("Enter")
    await_page(visitor)
    assert "policy=random" in page.url


def test_a_link_on_another_site_with_the_token_opens_the_page(visitor: Dashboard, elsewhere: Elsewhere) -> None:
    elsewhere.page = f'<a href="{visitor.server}/?token={TOKEN}">open</a>'
    visitor.page.goto(f"http://127.0.0.1:{elsewhere.port}/")
    visitor.page.get_by_text("open").click()
    await_page(visitor)
    assert TOKEN not in visitor.page.url


def test_a_link_on_another_site_asks_and_one_click_goes_on(visitor: Dashboard, elsewhere: Elsewhere) -> None:
    visitor.page.goto(f"{visitor.server}/?token={TOKEN}")
    await_page(visitor)
    elsewhere.page = f'<a href="{visitor.server}/?policy=random">open</a>'
    visitor.page.goto(f"http://127.0.0.1:{elsewhere.port}/")
    visitor.page.get_by_text("open").click()
    visitor.page.get_by_text("Open the page again").click()
    await_page(visitor)
    assert "policy=random" in visitor.page.url


# ---- other pages of the same machine

ATTEMPTS = """
<body></body>
<script>
const target = "SERVER", results = {};
const element = (tag, attributes) => new Promise((done) => {
  const one = Object.assign(document.createElement(tag), attributes);
  one.onload = () => done("loaded");
  one.onerror = () => done("refused");
  document.body.append(one);
});
const ask = (options) => fetch(target + "/compecon/health", { credentials: "include", ...options })
  .then((r) => r.type === "opaque" ? "opaque" : r.status, () => "refused");
const socket = new Promise((done) => {
  const one = new WebSocket(target.replace("http", "ws") + "/_stcore/stream", "streamlit");
  one.onopen = () => done("opened");
  one.onerror = () => done("refused");
});
(async () => {
  results.socket = await socket;
  results.fetch = await ask({});
  results.post = await ask({ method: "POST" });
  results.header = await ask({ headers: { "X-Compecon-Token": "x" } });
  results.script = await element("script", { src: target + "/compecon/canvas/main.js" });
  results.image = await element("img", { src: target + "/favicon.png" });
  window.results = results;
})();
</script>
<iframe name="framed" src="SERVER/"></iframe>
"""


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_another_local_page_gets_nothing_even_when_one_is_signed_in(
    visitor: Dashboard, elsewhere: Elsewhere, name: str
) -> None:
    page = visitor.page
    page.goto(f"{visitor.server}/?token={TOKEN}")
    await_page(visitor)
    elsewhere.page = ATTEMPTS.replace("SERVER", visitor.server)
    page.goto(f"http://{name}:{elsewhere.port}/")
    page.wait_for_function("window.results")
    results = page.evaluate("window.results")
    assert set(results.values()) == {"refused"}
    framed = page.frame("framed")
    assert framed is None or "compecon" not in framed.content()


# ---- pictures that would phone home


@pytest.fixture
def signed_in(visitor: Dashboard) -> Dashboard:
    visitor.page.goto(f"{visitor.server}/?token={TOKEN}")
    await_page(visitor)
    return visitor


def nothing_was_told(visitor: Dashboard, beacon: Elsewhere) -> None:
    """Neither did the browser ask, nor did a policy have to hold it back: the page contains no such picture."""
    assert visitor.page.locator("img[src*=beacon], img[onerror]").count() == 0
    assert not any(str(beacon.port) in host for host in visitor.hosts)
    assert beacon.paths == []
    assert visitor.dialogs == []
    # Below a page's address, Streamlit looks for itself first, in vain.
    assert [error for error in visitor.errors if "404 (Not Found)" not in error] == []


def test_names_labels_and_texts_are_letters(signed_in: Dashboard, beacon: Elsewhere) -> None:
    page, hostile = signed_in.page, HOSTILE.format(beacon.port, beacon.port)
    menu = page.get_by_role("combobox", name=re.compile("Checkpoint"))
    for name in FOLDERS:
        menu.click()
        own = name.format(beacon.port)
        page.get_by_role("option").filter(has_text=re.compile(rf"^\s*{re.escape(own)}\s*$")).click()
        page.wait_for_url(lambda url, own=own: unquote_plus(url).endswith(own))  # its example is there, to be replaced
        signed_in.type_text(f"{hostile} {KNOWN}")
        page.wait_for_url(lambda url: "text=" in url)
        signed_in.await_badge("exact")
        sync_api.expect(signed_in.find(".answer").first).to_contain_text("beacon")
        page.get_by_text("About this checkpoint").click()
        sync_api.expect(page.get_by_test_id("stExpander").first).to_contain_text("beacon")
    page.reload()
    await_page(signed_in)
    nothing_was_told(signed_in, beacon)


@pytest.mark.parametrize("part", ["overview", "examples", "settings", "log"])
def test_what_a_run_says_of_itself_is_letters(visitor: Dashboard, locked: Server, beacon: Elsewhere, part: str) -> None:
    [run] = (locked.log.parent / "home" / "runs").glob("rehearsal*")
    visitor.page.goto(f"{visitor.server}/train?run={run.name}&part={part}&token={TOKEN}")
    sync_api.expect(visitor.page.get_by_role("heading").filter(has_text="beacon").first).to_be_visible()
    visitor.page.get_by_test_id("stStatusWidget").wait_for(state="detached")  # the script has drawn everything
    assert visitor.page.get_by_test_id("stException").count() == 0
    nothing_was_told(visitor, beacon)


def test_an_address_full_of_pictures_shows_none(signed_in: Dashboard, beacon: Elsewhere) -> None:
    hostile = HOSTILE.format(beacon.port, beacon.port)
    signed_in.open(text=hostile, pair=hostile, checkpoint=hostile, policy=hostile, layer=hostile)
    nothing_was_told(signed_in, beacon)


def test_were_text_markup_after_all_the_policy_would_hold_it_back(signed_in: Dashboard, elsewhere: Elsewhere) -> None:
    told: Callable[[str], Any] = signed_in.page.evaluate
    address = f"http://127.0.0.1:{elsewhere.port}/beacon"
    told(
        """(address) => {
          const box = document.createElement("div");
          box.innerHTML = `<img src="${address}"><iframe src="${address}"></iframe><svg onload="window.ran = 1"></svg>
            <form action="${address}" method="post"></form><link rel="stylesheet" href="${address}">
            <video src="${address}"></video><object data="${address}"></object>`;
          document.body.append(box);
          const script = document.createElement("script");
          script.textContent = "window.ran = 1";
          document.body.append(script);
          box.querySelector("form").submit();
          navigator.sendBeacon(address);
        }""",
        address,
    )
    asked = """(address) => fetch(address, { mode: "no-cors" }).then(() => "answered", () => "refused")"""
    assert signed_in.page.evaluate(asked, address) == "refused"
    assert signed_in.page.evaluate("window.ran") is None
    # A browser may open a connection on suspicion, before it looks at the policy; nothing is said over it.
    assert set(elsewhere.paths) <= {"(connected)"}
