"""Who may talk to the server: this machine's browser, from our own page."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_HOSTS = ("localhost", "127.0.0.1")
TOKEN_HEADER = "X-Compecon-Token"  # noqa: S105 - a header's name
_TOKEN = secrets.token_urlsafe(24)
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    # token text is shown as text, but should a widget ever render it as markdown, no picture may phone home
    b"content-security-policy": b"frame-ancestors 'none'; img-src 'self' data: blob:; object-src 'none'",
}


def page_token() -> str:
    """The secret that our page carries and another site cannot read; new at each start."""
    return _TOKEN


def is_from_our_page(request: Request) -> bool:
    """Whether a request carries the page's token: a form or script of another site cannot add the header."""
    given = request.headers.get(TOKEN_HEADER, "").encode()  # as bytes: of two texts, only ASCII can be compared
    return secrets.compare_digest(given, _TOKEN.encode())


class SecurityHeaders:
    """Adds the headers that keep other sites from framing the page or loading pictures through it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; touch HTTP responses only."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message)
            await send(message)

        await self.app(scope, receive, with_headers)


def _add_headers(message: MutableMapping[str, Any]) -> None:
    present = {name.lower() for name, _ in message.get("headers", [])}
    message["headers"] = [*message.get("headers", []), *((k, v) for k, v in _HEADERS.items() if k not in present)]


def middleware() -> list[Middleware]:
    """For every request, HTTP and WebSocket: only our host names (no DNS rebinding), then the headers."""
    return [Middleware(TrustedHostMiddleware, allowed_hosts=list(LOCAL_HOSTS)), Middleware(SecurityHeaders)]
