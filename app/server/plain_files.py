"""Files that browsers load as they are: Streamlit's own, and the scripts and styles of the canvases.

They are answered before Streamlit is imported, and in the event loop: they are small, the system has them in memory,
and each change of thread would wait for an import that holds the interpreter lock.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from app.server.addresses import CANVASES, PREFIX
from compecon.paths import assets, file_stamp

FOREVER = "public, max-age=31536000, immutable"  # of files whose names change with their content
_ANEW = "no-cache"  # may be kept, and is asked for again each time
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
}  # the system may say otherwise


@final
@dataclass(frozen=True)
class PlainFile:
    """A file, and how long a browser may keep it.

    Attributes:
        path: Where it is.
        cache_control: The header of that name.
    """

    path: Path
    cache_control: str = _ANEW

    def answer(self, scope: Scope) -> Response:
        """The file, or that a browser's copy is the same."""
        tag = '"{:x}-{:x}"'.format(*file_stamp(self.path))
        headers = {"Cache-Control": self.cache_control, "ETag": tag}
        if tag in Headers(scope=scope).get("if-none-match", ""):
            return Response(None, 304, headers)
        kind = _TYPES.get(self.path.suffix) or mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"
        return Response(self.path.read_bytes(), media_type=kind, headers=headers)


def streamlit_static() -> Path:
    """The folder of Streamlit's page and its files. To find it imports nothing."""
    spec = find_spec("streamlit")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("Streamlit is not installed. Reinstall compecon with its dependencies.")
    return Path(spec.origin).parent / "static"


@cache
def plain_files() -> Mapping[str, PlainFile]:
    """The file at each address. What is not listed is not answered, whatever the address says."""
    folders = {f"{PREFIX}/{name}": (assets() / name, _ANEW) for name in CANVASES}
    folders["/static"] = streamlit_static() / "static", FOREVER
    found = {
        f"{address}/{path.relative_to(folder).as_posix()}": PlainFile(path, kept)
        for address, (folder, kept) in folders.items()
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {**found, f"{PREFIX}/logo.png": PlainFile(assets() / "logo.png")}
