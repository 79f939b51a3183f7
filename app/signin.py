"""Signing in with the token: once in the address or in a form, from then on a cookie that does not contain it."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from html import escape
from typing import final
from urllib.parse import parse_qs, quote, unquote_plus

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope

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
    """The door: lets those through who hold the cookie, and gives it to those who know the token.

    Args:
        token: What a visitor must know.
        clock: Seconds, monotonic.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = token.encode()
        # Cookies of one host are shared by all its ports: a name of its own for each token keeps two dashboards apart.
        self.cookie = f"compecon-{self._derived('name')[:8]}"
        self._value = self._derived("value")
        self._tries = _Tries(clock)

    def _derived(self, purpose: str) -> str:
        return hmac.new(self._token, f"compecon sign-in {purpose}".encode(), hashlib.sha256).hexdigest()

    async def answer(self, scope: Scope, receive: Receive) -> Response | None:
        """What to answer instead of the page, or None if the visitor may pass."""
        visitor = HTTPConnection(scope)
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            return await self._answer_form(Request(scope, receive))
        given, here = _token_of(scope)
        if hmac.compare_digest(visitor.cookies.get(self.cookie, "").encode(), self._value.encode()):
            return RedirectResponse(here, 303) if given is not None else None
        if given is None:
            return _ask(scope, here, "This dashboard asks for its token.")
        return self._judge(scope, given, here)

    async def _answer_form(self, request: Request) -> Response:
        try:
            fields = parse_qs(await _body(request), max_num_fields=10)
        except (ValueError, ClientDisconnect):
            return PlainTextResponse("This is not the sign-in form.", 400)
        given, onwards = fields.get("token", [""])[0], _local(fields.get("next", ["/"])[0])
        return self._judge(request.scope, given.strip(), onwards)

    def _judge(self, scope: Scope, given: str, onwards: str) -> Response:
        """Give the cookie for the right token; count a wrong one."""
        who = (scope.get("client") or ("", 0))[0]
        if self._tries.are_used_up(who):
            answer = _ask(scope, onwards, "Too many wrong tokens came from your address. Wait a minute.", 429)
            answer.headers["Retry-After"] = str(int(WINDOW_S))
            return answer
        if not hmac.compare_digest(given.encode(), self._token):
            self._tries.count(who)
            _LOG.warning("A wrong token was given from %s.", who)
            return _ask(scope, onwards, "That is not the token. The terminal that serves the dashboard shows it.")
        answer = _go_on(scope, onwards)
        secure = scope["scheme"] == "https"
        answer.set_cookie(self.cookie, self._value, httponly=True, samesite="strict", secure=secure)
        return answer


@final
class _Tries:
    """Wrong tries of the last minute, by address."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._of = clock, OrderedDict[str, deque[float]]()

    def are_used_up(self, who: str) -> bool:
        times = self._of.get(_network(who), deque())
        while times and times[0] <= self._clock() - WINDOW_S:
            times.popleft()
        return len(times) >= MAX_WRONG

    def count(self, who: str) -> None:
        self._of.setdefault(_network(who), deque(maxlen=MAX_WRONG)).append(self._clock())
        self._of.move_to_end(_network(who))
        while len(self._of) > _MAX_VISITORS:
            self._of.popitem(last=False)


def _network(who: str) -> str:
    """An address, or the half of an IPv6 address that a visitor cannot change at will."""
    return ":".join(who.split(":")[:4]) if ":" in who and "." not in who else who


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
