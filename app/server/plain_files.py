"""Files that browsers load as they are: Streamlit's own, and the scripts and styles of the canvases.

They are answered before Streamlit is imported, and in the event loop: they are small, the system has them in memory,
and each change of thread would wait for an import that holds the interpreter lock. Only who asks from elsewhere gets
them packed: on this machine there is nothing to gain.
"""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from app.server.access import is_loopback
from app.server.addresses import CANVASES, PREFIX
from app.server.plotly_script import PLOTLY, plotly_file, scatter_alone
from compecon.paths import assets, file_stamp

FOREVER = "public, max-age=31536000, immutable"  # of files whose names change with their content
_ANEW = "no-cache"  # may be kept, and is asked for again each time
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
}  # the system may say otherwise
_PACKED = frozenset({".js", ".mjs", ".css", ".svg"})  # what gets smaller; fonts and pictures are packed as they are
_FEW_BYTES = 1000  # below this there is nothing to gain


@final
@dataclass(frozen=True)
class PlainFile:
    """A file, and how long a browser may keep it.

    Attributes:
        path: Where it is.
        cache_control: The header of that name.
        made: What of its content is sent; None for all.
    """

    path: Path
    cache_control: str = _ANEW
    made: Callable[[bytes], bytes] | None = None

    @property
    def content(self) -> bytes:
        """What is sent of it."""
        return self.path.read_bytes() if self.made is None else self.made(self.path.read_bytes())

    async def answer(self, scope: Scope) -> Response:
        """The file, or that a browser's copy is the same."""
        stamp = file_stamp(self.path)
        packs = self.path.suffix in _PACKED and stamp[1] >= _FEW_BYTES
        is_packed = packs and takes_packed(scope)
        tag = f'"{stamp[0]:x}-{stamp[1]:x}{"-gzip" if is_packed else ""}"'
        headers = {"Cache-Control": self.cache_control, "ETag": tag}
        if packs:
            headers["Vary"] = "Accept-Encoding"
        if tag in Headers(scope=scope).get("if-none-match", ""):
            return Response(None, 304, headers)
        if is_packed:
            headers["Content-Encoding"] = "gzip"
            data = await asyncio.to_thread(_packed, self, stamp)  # 40 ms a megabyte, the first time
        else:
            data = self.content
        kind = _TYPES.get(self.path.suffix) or mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"
        return Response(data, media_type=kind, headers=headers)


@lru_cache(maxsize=512)
def _packed(file: PlainFile, _stamp: tuple[int, int]) -> bytes:
    return gzip.compress(file.content, 6, mtime=0)


def takes_packed(scope: Scope) -> bool:
    """Whether a visitor from another machine asks, and can unpack."""
    if is_from_here(scope):
        return False
    accepted = Headers(scope=scope).get("accept-encoding", "").replace(" ", "").lower().split(",")
    return any(re.fullmatch(r"gzip(;q=(1.*|0\.0*[1-9].*))?", one) for one in accepted)


def is_from_here(scope: Scope) -> bool:
    """Whether a visitor asks from this machine."""
    client = scope.get("client")
    return client is not None and is_loopback(client[0])


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
    return {
        **found,
        f"{PREFIX}/logo.png": PlainFile(assets() / "logo.png"),
        PLOTLY: PlainFile(plotly_file(), FOREVER, scatter_alone),
    }
