"""What every answer tells the browser: load from this server only, no frames, no referrer."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from functools import cache
from pathlib import Path


@cache
def security_headers() -> dict[str, str]:
    """Names and values, the same for every answer."""
    return {
        "Content-Security-Policy": _content_security_policy(),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def _content_security_policy() -> str:
    """The second wall: should a widget render user text as markup after all, no script in it runs, no picture phones.

    Streamlit needs styles in the page, and a live component's script is a ``blob:``.
    """
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src 'self' blob:", *_streamlits_own_scripts()]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "frame-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def _streamlits_own_scripts() -> list[str]:
    """Hashes of the few lines of script in the page that the installed Streamlit serves: those may run, no others."""
    spec = importlib.util.find_spec("streamlit")
    if spec is None or spec.origin is None:
        return []
    page = (Path(spec.origin).parent / "static" / "index.html").read_text(encoding="utf-8")
    found = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in found]
    return [f"'sha256-{digest}'" for digest in digests]
