"""The guide as the dashboard shows it: its pages, with links that lead from one to another on the Help page.

The same files are read on GitHub, where links are relative. There is no network behind the dashboard, so a link to a
file of the repository becomes its label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

from compecon.files.safe_reader import read_text
from compecon.paths import assets

INDEX = "README"
_MAX_BYTES = 200_000
_LINK = re.compile(
    r"(?P<code>^```.*?^```|`[^`\n]*`)|\[(?P<label>[^\]]*)\]\((?P<target>[^)\s]+)\)", re.MULTILINE | re.DOTALL
)
_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE)
_PAGE = re.compile(r"(?P<name>\w+)\.md(?P<fragment>#[\w-]+)?")


@final
@dataclass(frozen=True)
class GuidePage:
    """A page of the guide.

    Attributes:
        title: Its heading.
        text: Markdown without HTML. Links to other pages read `?topic=NAME#HEADING`.
    """

    title: str
    text: str


@cache
def guide() -> Mapping[str, GuidePage]:
    """Every page by its name: the index, then the pages in the order in which the index lists them."""
    folder = assets() / "guide"
    index = _read(folder / f"{INDEX}.md")
    names = [found["name"] for link in _LINK.finditer(index) if (found := _PAGE.fullmatch(link["target"] or ""))]
    return {name: _page(_read(folder / f"{name}.md")) for name in (INDEX, *names)}


def _read(path: Path) -> str:
    return read_text(path, _MAX_BYTES)


def _page(text: str) -> GuidePage:
    title = text.partition("\n")[0].removeprefix("# ")
    return GuidePage(title, _LINK.sub(_within_the_dashboard, _COMMENT.sub("", text)))


def _within_the_dashboard(link: re.Match[str]) -> str:
    label, target = link["label"], link["target"]
    if link["code"] or "://" in target or target.startswith("#"):
        return link[0]
    page = _PAGE.fullmatch(target)
    return f"[{label}](?topic={page['name']}{page['fragment'] or ''})" if page else label
