"""Signing in with the token: once in the address or in a form, from then on a cookie that does not contain it."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from html import escape
from typing import final
from urllib.parse import parse_qs, quote, unquote_plus

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope

from app.server.access import network_of

PATH = "/compecon/sign-in"
MAX_WRONG, WINDOW_S = 10, 60.0
_MAX_FORM = 8_000  # bytes
_MAX_VISITORS = 1_000  # addresses whose wrong tries are remembered
_SAFE = "/%:@!$&'()*+,;=~"  # what an address may hold as it is; the rest is percent-encoded
_LOG = logging.getLogger(__name__)
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # under no-referrer a browser would call the form's origin "null"
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>compecon: sign in</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
  main {{ max-width: 26rem; margin: 20vh auto 0; padding: 0 1rem; }}
  input, button {{ font: inherit; padding: .4rem .6rem; box-sizing: border-box; width: 100%; margin-top: .4rem; }}
</style>
<main>
<h1>compecon</h1>
<p role="status">{said}</p>
<form method="post" action="{path}">
<label>Token <input type="password" name="token" autocomplete="current-password" autofocus required></label>
<input type="hidden" name="next" value="{next}">
<button>Open the dashboard</button>
</form>
<p>Signed in already? <a href="{next}">Open the page again.</a></p>
</main>
</html>
"""
_ONWARDS = (
    '<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={next}"><title>compecon</title>'
)


@final
class SignIn:
    """The door: lets visitors with the cookie through, and gives it to those who know the token.

    A browser sends a host's cookies to all its ports. So the cookie is named after the port, which keeps two dashboards
    from overwriting each other's, and its value hangs on a secret that this object alone has: another server, and this
    one when it is started again, takes it for nothing, whatever its token.

    Args:
        token: What a visitor must know.
        clock: Seconds, monotonic.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._token, self._secret = token.encode(), secrets.token_bytes(32)
        self._tries = _Tries(clock)

    def cookie(self, scope: Scope) -> tuple[str, str]:
        """Name and value of the cookie at the port that was asked."""
        port = (scope.get("server") or ("", None))[1]
        value = hmac.new(self._secret, self._token + f" on port {port}".encode(), hashlib.sha256).hexdigest()
        return f"compecon-{port}", value

    def knows(self, scope: Scope) -> bool:
        """Whether a visitor holds the cookie."""
        name, value = self.cookie(scope)
        return hmac.compare_digest(HTTPConnection(scope).cookies.get(name, "").encode(), value.encode())

    async def answer(self, scope: Scope, receive: Receive) -> Response | None:
        """What to answer instead of the page, or None if the visitor may pass."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            return await self._answer_form(Request(scope, receive))
        given, here = _token_of(scope)
        if self.knows(scope):
            return RedirectResponse(here, 303) if given is not None else None
        if given is None:
            return _ask(scope, here, "This dashboard requires a token.")
        return self._judge(scope, given, here)

    async def _answer_form(self, request: Request) -> Response:
        try:
            fields = parse_qs(await _body(request), max_num_fields=10)
        except (ValueError, ClientDisconnect):
            return PlainTextResponse("Not the sign-in form.", 400)
        given, onwards = fields.get("token", [""])[0], _local(fields.get("next", ["/"])[0])
        if self.knows(request.scope):  # a page from before they signed in; others' guesses must not stop them
            return RedirectResponse(onwards, 303)
        return self._judge(request.scope, given.strip(), onwards)

    def _judge(self, scope: Scope, given: str, onwards: str) -> Response:
        """Give the cookie for the right token; count a wrong one."""
        who = network_of((scope.get("client") or ("", 0))[0])
        if self._tries.are_used_up(who):
            answer = _ask(scope, onwards, "Too many wrong tokens from your address. Wait a minute.", 429)
            answer.headers["Retry-After"] = str(int(WINDOW_S))
            return answer
        if not hmac.compare_digest(given.encode(), self._token):
            self._tries.count(who)
            _LOG.warning("A wrong token was given from %s.", who or "an unknown address")
            return _ask(scope, onwards, "Wrong token. The terminal running the dashboard shows it.")
        answer = _go_on(scope, onwards)
        name, value = self.cookie(scope)
        answer.set_cookie(name, value, httponly=True, samesite="strict", secure=scope["scheme"] == "https")
        return answer


@final
class _Tries:
    """Wrong tries of the last minute, by visitor as of ``network_of``."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._of = clock, OrderedDict[str, deque[float]]()

    def are_used_up(self, who: str) -> bool:
        times = self._of.get(who, deque())
        while times and times[0] <= self._clock() - WINDOW_S:
            times.popleft()
        return len(times) >= MAX_WRONG

    def count(self, who: str) -> None:
        self._of.setdefault(who, deque(maxlen=MAX_WRONG)).append(self._clock())
        self._of.move_to_end(who)
        while len(self._of) > _MAX_VISITORS:
            self._of.popitem(last=False)


def _token_of(scope: Scope) -> tuple[str | None, str]:
    """The token in the address, if there is one, and the address without it."""
    parts = scope["query_string"].decode("latin-1").split("&")
    given = [part for part in parts if unquote_plus(part.partition("=")[0]) == "token"]
    kept = "&".join(part for part in parts if part and part not in given)
    here = _local(quote(scope["path"]) + (f"?{kept}" if kept else ""))
    can_be_redirected = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
    return (unquote_plus(given[0].partition("=")[2]) if given and can_be_redirected else None), here


def _local(address: str) -> str:
    r"""An address on this server: ``//evil.example`` and ``/\evil.example`` would lead a browser elsewhere."""
    path, asks, query = address.partition("#")[0].partition("?")
    return "/" + quote(path.lstrip("/\\"), safe=_SAFE) + asks + quote(query, safe=_SAFE + "?")


async def _body(request: Request) -> str:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MAX_FORM:
            raise ValueError("larger than any token")
    return data.decode()


def _ask(scope: Scope, onwards: str, said: str, status: int = 401) -> Response:
    """The page that asks for the token; a bare sentence for what is not a page."""
    if scope["type"] == "http" and "text/html" in HTTPConnection(scope).headers.get("accept", ""):
        page = _PAGE.format(said=escape(said), path=PATH, next=escape(onwards))
        return HTMLResponse(page, status, headers=_PAGE_HEADERS)
    return PlainTextResponse(said, status)


def _go_on(scope: Scope, onwards: str) -> Response:
    """To the page, by a redirect; a visitor from a link on another site by a page of ours.

    A browser keeps a strict cookie back from redirects that began on another site, not from those of our own page.
    """
    if HTTPConnection(scope).headers.get("sec-fetch-site") == "cross-site":
        return HTMLResponse(_ONWARDS.format(next=escape(onwards)))
    return RedirectResponse(onwards, 303)
