"""BertViz in a folder of its own: the package from PyPI, the scripts it loads from npm, and pages made with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from compecon import children
from compecon.errors import CompeconError

_TIMEOUT_S = 300
# What BertViz's pages load from a CDN, the npm package with the same file, and the file in it. The CDN has jquery
# 2.0.0, which npm lacks; 2.2.4 is the last of that line.
_SCRIPTS = {
    "https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.6/require.min.js": ("requirejs@2.3.6", "require.js"),
    "https://cdnjs.cloudflare.com/ajax/libs/d3/5.7.0/d3.min": ("d3@5.7.0", "dist/d3.min.js"),
    "https://cdnjs.cloudflare.com/ajax/libs/jquery/2.0.0/jquery.min": ("jquery@2.2.4", "dist/jquery.min.js"),
}
_MAKE_PAGES = """
import sys
import numpy as np
import torch
import bertviz
attention, n, out, views = np.load(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
layers, tokens = list(torch.from_numpy(attention).unsqueeze(1)), [f"word{i}" for i in range(n)]
for view in views:
    made = getattr(bertviz, view)(layers, tokens, html_action="return")
    with open(f"{out}/{view}-{n}.html", "w") as page:
        page.write("<!doctype html><meta charset=utf-8>" + made.data)
"""


def kit_folder() -> Path:
    """Where BertViz and its scripts are kept between runs."""
    return user_cache_path("compecon") / "bench-bertviz"


def install() -> str:
    """Install BertViz and its scripts unless they are there; returns its version.

    Raises:
        CompeconError: If pip or npm is missing or cannot download.
    """
    folder = kit_folder()
    python = _python(folder)
    if not python.exists():
        venv.create(folder / "venv", with_pip=True, clear=True)
        _see_this_interpreter(folder)
    if not (folder / "version.txt").is_file():
        # Without dependencies: it names boto3, sentencepiece and torch, and needs IPython and torch. torch is here.
        _ask(python, "-m", "pip", "install", "--quiet", "--no-deps", "bertviz")
        _ask(python, "-m", "pip", "install", "--quiet", "ipython")
        ask = "from importlib.metadata import version; print(version('bertviz'))"
        (folder / "version.txt").write_text(_ask(python, "-c", ask), encoding="utf-8")
    for package, file in _SCRIPTS.values():
        _script(folder, package, file)
    return (folder / "version.txt").read_text(encoding="utf-8").strip()


def make_pages(attention: np.ndarray, views: tuple[str, ...], out: Path) -> None:
    """Write one page a view, `<view>-<n>.html`, with its scripts beside it; attention is (layer, head, query, key)."""
    n = attention.shape[-1]
    np.save(out / "attention.npy", attention)
    out = out.resolve()
    _ask(_python(kit_folder()), "-c", _MAKE_PAGES, str(out / "attention.npy"), str(n), str(out), *views)
    for view in views:
        page = out / f"{view}-{n}.html"
        text = page.read_text(encoding="utf-8")
        for address, (package, file) in _SCRIPTS.items():
            if address not in text:
                raise CompeconError(f"this version of BertViz does not load {address}. Its page has changed.")
            text = text.replace(address, f"/{Path(file).name}" if address.endswith(".js") else f"/{Path(file).stem}")
            shutil.copy(_script(kit_folder(), package, file), out)
        page.write_text(text, encoding="utf-8")


def script_bytes() -> int:
    """Size of the scripts that a page loads."""
    return sum(_script(kit_folder(), package, file).stat().st_size for package, file in _SCRIPTS.values())


def _python(folder: Path) -> Path:
    return folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _see_this_interpreter(folder: Path) -> None:
    """Let the environment import this interpreter's torch: a second copy would be half a gigabyte."""
    own = str(Path(np.__file__).parents[1])
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_ask(_python(folder), "-c", ask).strip())
    (site / "host.pth").write_text(own + "\n", encoding="utf-8")


def _script(folder: Path, package: str, file: str) -> Path:
    target = folder / "scripts" / package / file
    if not target.is_file():
        npm = shutil.which("npm")
        if npm is None:
            raise CompeconError("npm is not installed; BertViz's pages need d3, jquery and requirejs from it.")
        packed = folder / "npm"
        packed.mkdir(parents=True, exist_ok=True)
        name = _pack(npm, package, packed).split()[-1]
        target.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(packed / name) as archive:
            member = archive.extractfile(f"package/{file}")
            if member is None:
                raise CompeconError(f"{package} has no file {file}.")
            target.write_bytes(member.read())
    return target


def _ask(python: Path, *arguments: str) -> str:
    with _said(python.name, *arguments[:3]):
        return children.output(*arguments, python=str(python), timeout_s=_TIMEOUT_S)


def _pack(npm: str, package: str, packed: Path) -> str:
    command = [npm, "pack", package, "--silent", "--pack-destination", str(packed)]
    with _said("npm", *command[1:3]):  # in a folder of ours: npm obeys the .npmrc of the one where it starts
        return subprocess.run(  # noqa: S603 - a rival's scripts, from where its own pages load them
            command, cwd=packed, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        ).stdout


@contextmanager
def _said(*command: str) -> Iterator[None]:
    try:
        yield
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()[-1:] or ["no output"]
        raise CompeconError(f"{' '.join(command)} failed: {said[0][:200]}") from error
    except subprocess.TimeoutExpired as error:
        raise CompeconError(f"{' '.join(command)} did not end within {_TIMEOUT_S} s.") from error
