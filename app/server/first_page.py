"""The page that a browser gets: Streamlit's own, and on it, where there is a recording, the finished first picture."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from html import escape
from pathlib import PurePosixPath
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.server.addresses import PREFIX
from app.server.first_pictures import FirstPicture, first_picture, params_of
from app.server.plain_files import plain_files, streamlit_static
from app.server.plotly_script import plotly_address
from compecon.paths import assets, dashboard_root

_SCRIPT = re.compile(r'<script type="module" crossorigin src="\./(static/js/[^"]+)"></script>')
_FONT = re.compile(r'href="\./(static/media/SourceSans[^"]+\.woff2)"')
_IMPORT = re.compile(r'(?:^(?:import|export)\b[^;]*?\bfrom |\bimport\()"(\.\.?/[^"]+)"', re.MULTILINE)
_FRONT = f"{PREFIX}/front/first_picture.js"


async def first_page(request: Request) -> Response:
    """Streamlit's page; where there is a first picture, with one that can be dragged at once."""
    html = _page(first_picture(request.url.path, params_of(request)))
    if request.url.path == "/frontier":
        html = _with_plotly(html)
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})  # it carries the page's secret


def _page(picture: FirstPicture | None) -> str:
    html, script = _streamlits_page()
    if picture is None or script is None:
        return html
    head = (
        f'<link rel="preload" as="fetch" crossorigin href="{escape(picture.source)}">'
        f"{_preloads(picture.canvas)}"
        f'<script type="module" src="{_FRONT}"></script>'
        f'<link rel="modulepreload" crossorigin href="/{script[1]}" data-streamlit>'
    )
    css = "".join(_asset(canvas, "css") for canvas in (*picture.styles, picture.canvas))
    data = {
        "canvas": picture.canvas,
        "source": picture.source,
        "request": json.dumps(picture.request) if picture.request else "",
        "below": str(picture.below),
        "wide": "only" if picture.is_wide else "",
        "isolated": "yes" if picture.is_isolated else "",
        "themes": json.dumps(_colours()),
    }
    attributes = " ".join(f'data-{name}="{escape(text)}"' for name, text in data.items())
    template = (
        f'<template id="compecon-first" {attributes}><style>{css}</style>{_asset(picture.canvas, "html")}</template>'
    )
    return html.replace(script[0], head, 1).replace('<div id="root">', f'{template}<div id="root">', 1)


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


@cache
def _asset(canvas: str, ending: str) -> str:
    return (assets() / canvas / f"{canvas}.{ending}").read_text(encoding="utf-8")


@cache
def _preloads(canvas: str) -> str:
    """Links to all scripts of the picture, so that a browser asks for none of them only when another has come."""
    found = dict.fromkeys([*scripts_of(_FRONT), *scripts_of(f"{PREFIX}/{canvas}/main.js")])
    return "".join(f'<link rel="modulepreload" href="{address}">' for address in found)


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
