"""The frame of the canvases: a Streamlit component whose script is one of ours, and which owns its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app.server.resources import canvas_part

# A blob: module cannot import by relative address, and its neighbours are plain files: hence the absolute import.
_STUB = """
const ready = import(new URL("/compecon/{name}/main.js", window.location.origin).href);
export default function (component) {{
  let dispose = null, gone = false;
  ready.then(({{ mount }}) => {{ if (!gone) dispose = mount({{ ...component, data: component.data[0] }}); }});
  return () => {{ gone = true; dispose?.(); }};
}}
"""


def canvas_component(name: str, *, styles: tuple[str, ...] = (), **options: Any) -> Callable[..., Any]:
    """A component that mounts a script of ours; called with `data`, a mapping, and Streamlit's own options.

    Args:
        name: Folder in the assets with `main.js`, `<name>.html` and `<name>.css`.
        styles: Style sheets of the canvas folder that come before its own.
        **options: For Streamlit's `component`.
    """
    css = "".join([*(canvas_part(file) for file in styles), canvas_part(f"{name}.css", name)])
    component = st.components.v2.component(
        f"compecon_{name}",
        html=canvas_part(f"{name}.html", name),
        css=css,
        js=_STUB.format(name=name),
        **options,
    )

    def draw(*, data: Mapping[str, Any], **drawing: Any) -> Any:
        # In a list: of each value of a dict Streamlit asks pandas whether it is a data frame, and imports it to ask,
        # which takes half a second and 66 MB.
        return component(data=[data], **drawing)

    return draw
