"""Pages run by Streamlit's own tester."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def open_page(name: str, **params: str) -> AppTest:
    """Run a page of the dashboard by itself, with an address.

    Args:
        name: Of its file in `pages`.
        params: The address.
    """
    page = AppTest.from_file(ROOT / "pages" / f"{name}.py", default_timeout=120)
    for key, value in params.items():
        page.query_params[key] = value
    return page.run()


def canvas_of(page: AppTest) -> dict[str, Any]:
    """What a page hands to its only live component."""
    assert not page.exception
    [canvas] = page.get("bidi_component")
    read: dict[str, Any]
    [read] = json.loads(canvas.proto.json)
    return read


def text_of(page: AppTest) -> tuple[str, str]:
    """What the two fields for a text hold."""
    first, second = (each.value or "" for each in page.text_area)
    return first, second


def address_of(page: AppTest) -> dict[str, str]:
    """The address that a page has written."""
    return {name: v if isinstance(v, str) else v[-1] for name, v in page.query_params.items()}
