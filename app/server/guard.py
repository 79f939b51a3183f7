"""Who may talk to the server: one guard around every route and the WebSocket, Streamlit's and our own."""

from __future__ import annotations

import secrets
from typing import Any, final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.access import Access, is_same_origin
from app.server.connections import VISITOR
from app.server.headers import security_headers
from app.server.signin import SignIn

TOKEN_HEADER = "X-Compecon-Token"  # noqa: S105 - a header's name
_TOKEN = secrets.token_urlsafe(24)
# Of what Streamlit serves below these, the page needs this much. Closed: metrics, the agent API, script checks, login.
_CORE, _NEEDED = "/_stcore", ("/health", "/host-config", "/stream", "/upload_file/", "/bidi-components/")
_CLOSED = ("/auth/", "/oauth2callback", "/component/", "/app/static/")


def page_token() -> str:
    """The secret that our page carries and another site cannot read; new at each start."""
    return _TOKEN


def is_from_our_page(request: Request) -> bool:
    """Whether a request carries the page's token: a form or script of another site cannot add the header."""
    given = request.headers.get(TOKEN_HEADER, "").encode()  # as bytes: of two texts, only ASCII can be compared
    return secrets.compare_digest(given, _TOKEN.encode())


@final
class Guard:
    """Decides for every HTTP request and WebSocket whether it goes on; every answer gets the security headers.

    In this order: a path that begins with a slash; a host name that is ours (else another site has pointed its DNS
    here); a request that no other page made; the token, if there is one; an address that the page needs.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access
        self._sign_in = SignIn(access.token) if access.token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] not in ("http", "websocket"):  # the server's own start and stop
            await self._app(scope, receive, send)
            return
        outside = _Outside(send, keeps_nothing=self._sign_in is not None and not scope["path"].startswith("/static/"))
        answer = await self._answer(scope, receive)
        if answer is not None:
            await _refuse(answer, scope, receive, outside)
            return
        try:
            await self._app(scope, receive, outside)
        except ClientDisconnect:
            return  # in the middle of an upload: there is no one left to answer, and nothing is wrong here
        except Exception:
            if scope["type"] == "http" and not outside.has_begun:  # what answers otherwise stands outside the guard
                await PlainTextResponse("Unexpected error. See the terminal for details.", 500)(scope, receive, outside)
            raise

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        """What to answer instead of the application, or None if it may answer."""
        answer = _refusal(scope, self._access)
        if answer is None and self._sign_in is not None:
            answer = await self._sign_in.answer(scope, receive)
            if answer is None and (visitor := scope.get("state", {}).get(VISITOR)) is not None:
                visitor.is_known = True
        if answer is None and _is_closed(scope["path"]):
            return PlainTextResponse("Not found.", 404)
        return answer


class _Outside:
    """What an answer passes on its way out."""

    def __init__(self, send: Send, *, keeps_nothing: bool) -> None:
        self._send, self._keeps_nothing, self.has_begun = send, keeps_nothing, False

    async def __call__(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self.has_begun = True
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            for name, value in security_headers().items():
                headers.setdefault(name, value)
            if self._keeps_nothing:
                headers["Cache-Control"] = "no-store"
            message = {**message, "headers": headers.raw}
        await self._send(message)


def _refusal(scope: Scope, access: Access) -> Response | None:
    """Why a request is refused for every visitor, or None."""
    headers = Headers(scope=scope)
    if not scope["path"].startswith("/"):
        return PlainTextResponse("Invalid path.", 400)
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not access.admits_host(hosts[0]):
        return PlainTextResponse("This server does not answer to that host name. See: compecon serve --help.", 400)
    if _is_from_elsewhere(scope, headers, hosts[0]):
        return PlainTextResponse("Only the dashboard's own pages may send this request.", 403)
    return None


def _is_from_elsewhere(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether another site, or another port of this machine, is behind a request; programs send neither header."""
    looks = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
    if not looks and any(not is_same_origin(origin, host) for origin in headers.getlist("origin")):
        return True
    follows_a_link = (
        looks and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    )
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and not follows_a_link


def _is_closed(path: str) -> bool:
    if path.startswith(_CORE):
        return not path.removeprefix(_CORE).startswith(_NEEDED)
    return path.startswith(_CLOSED)


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        close: dict[str, Any] = {"type": "websocket.close", "code": 1008, "reason": ""}
        await send(close)
        return
    await answer(scope, receive, send)
