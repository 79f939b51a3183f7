"""The page that a browser gets: Streamlit's own, and on it, where there is a recording, the finished first picture."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from html import escape
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.server.addresses import PREFIX
from app.server.guard import page_token
from app.server.plain_files import plain_files, plotly_address, streamlit_static
from app.server.recordings import sources_of
from app.state.attention_choice import DEVICES, AttentionChoice, CanvasView, default_choice
from compecon.paths import assets, dashboard_root

FIRST_CHECKPOINT = "sentiment"
_SCRIPT = re.compile(r'<script type="module" crossorigin src="\./(static/js/[^"]+)"></script>')
_FONT = re.compile(r'href="\./(static/media/SourceSans[^"]+\.woff2)"')
_IMPORT = re.compile(r'(?:^(?:import|export)\b[^;]*?\bfrom |\bimport\()"(\.\.?/[^"]+)"', re.MULTILINE)
_FRONT = f"{PREFIX}/front/first_picture.js"


async def first_page(request: Request) -> Response:
    """Streamlit's page; on the Attention page's address with a picture that can be dragged at once."""
    query = dict(parse_qsl(request.url.query, keep_blank_values=True))
    asked = first_request(query) if request.url.path == "/" else None
    html = _with_plotly(_page(asked)) if request.url.path == "/frontier" else _page(asked)
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})  # it carries the page's secret


def first_request(params: Mapping[str, str]) -> dict[str, Any] | None:
    """What the Attention page will ask its canvas for at an address, or None if that was not recorded.

    Args:
        params: Of the address, as anybody may have written them.

    Returns:
        The canvas' data, equal to what the page itself hands over later but for the script to copy.
    """
    given = {**asdict(default_choice(FIRST_CHECKPOINT)), **{k: v for k, v in params.items() if k in _CHOICE}}
    if given["device"] not in DEVICES:
        given["device"] = "auto"
    choice = AttentionChoice(**given)
    sources = sources_of(choice)
    if sources["source"]["body"] is not None:
        return None
    view = asdict(CanvasView.from_mapping(params))
    return {**sources, "python": "", "token": page_token(), "view": view, "error": None}


_CHOICE = frozenset(AttentionChoice.__dataclass_fields__)


def _page(asked: Mapping[str, Any] | None) -> str:
    html, script = _streamlits_page()
    if asked is None or script is None:
        return html
    head = (
        f'<link rel="preload" as="fetch" crossorigin href="{escape(asked["source"]["url"])}?first">'
        f"{_preloads()}"
        f'<script type="module" src="{_FRONT}"></script>'
        f'<link rel="modulepreload" crossorigin href="/{script[1]}" data-streamlit>'
    )
    picture = (
        f'<template id="compecon-first" data-request="{escape(json.dumps(asked))}" data-themes="{_themes()}">'
        f"<style>{_asset('canvas.css')}</style>{_asset('canvas.html')}</template>"
    )
    return html.replace(script[0], head, 1).replace('<div id="root">', f'{picture}<div id="root">', 1)


def _with_plotly(html: str) -> str:
    """The same, and Plotly's script is fetched and parsed while Streamlit's own start."""
    link = f'<link rel="preload" as="script" href="{plotly_address()}">'
    return html.replace("</head>", f"{link}</head>", 1)


@cache
def _streamlits_page() -> tuple[str, re.Match[str] | None]:
    """The page with our name, icon and colours; and the element in it that starts Streamlit, if it is as we know it."""
    html = (streamlit_static() / "index.html").read_text(encoding="utf-8")
    html = html.replace("<title>Streamlit</title>", "<title>compecon</title>").replace(
        "./favicon.png", f"{PREFIX}/logo.png"
    )
    light, dark = (_colours()[name]["backgroundColor"] for name in ("light", "dark"))
    font = _FONT.search(html)
    face = f'@font-face{{font-family:"Source Sans";src:url(/{font[1]});font-weight:200 900}}' if font else ""
    style = f"html{{background:{light}}}@media(prefers-color-scheme:dark){{html{{background:{dark}}}}}"
    html = html.replace("</head>", f"<style>{style}{face}</style></head>", 1)
    return html, _SCRIPT.search(html)


@cache
def _colours() -> dict[str, dict[str, str]]:
    read: dict[str, Any] = tomllib.loads((dashboard_root() / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    return {name: read["theme"][name] for name in ("light", "dark")}


def _themes() -> str:
    return escape(json.dumps(_colours()))


@cache
def _asset(name: str) -> str:
    return (assets() / "canvas" / name).read_text(encoding="utf-8")


@cache
def _preloads() -> str:
    """Links to all scripts of the picture, so that a browser asks for none of them only when another has come."""
    return "".join(f'<link rel="modulepreload" href="{address}">' for address in scripts_of(_FRONT))


def scripts_of(address: str) -> tuple[str, ...]:
    """A script and all that it imports, itself first."""
    found = [address]
    for one in found:
        source = plain_files()[one].path.read_text(encoding="utf-8")
        for target in _IMPORT.findall(source):
            imported = _resolved(PurePosixPath(one).parent / target)
            if imported not in found:
                found.append(imported)
    return tuple(found)


def _resolved(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return str(PurePosixPath(*parts))
