"""Processes that compecon starts: Python with our own modules, and nothing from the folder it was started in.

For ``-m`` and ``-c`` Python looks for modules in the current folder first, and an empty entry of ``PYTHONPATH`` means
that folder too: a ``json.py`` beside a checkpoint would run in every process started there. So every child is started
here, with ``-P``, in a folder of its own and without such entries.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

_NEEDED = frozenset({
    "PATH", "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "WINDIR", "TMPDIR", "TEMP", "TMP",
    "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
    "PYTHONHOME", "PYTHONUTF8", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE",
})  # fmt: skip
_MODULES = "PYTHONPATH"


def command(*arguments: str, python: str = "") -> list[str]:
    """The command line of a Python process that imports nothing from the folder where it starts."""
    return [python or sys.executable, "-P", *arguments]


def environment(more: Mapping[str, str] = MappingProxyType({}), *, bare: bool = False) -> dict[str, str]:
    """Variables for a child: ours, with a module path that does not depend on where it starts.

    Args:
        more: Variables to set.
        bare: Keep only what a program needs to start, and so no secrets, proxies or settings.
    """
    kept = {name: value for name, value in os.environ.items() if not bare or name.upper() in _NEEDED}
    kept.pop(_MODULES, None)
    path = module_path()
    return kept | ({_MODULES: path} if path else {}) | dict(more)


def module_path() -> str:
    """``PYTHONPATH`` for a child: the absolute entries of ours, and where this package is if it is not installed.

    Every interpreter finds an installed copy, editable or not. A checkout that we were started in comes last, because
    its folder holds more than this package.
    """
    named = os.environ.get(_MODULES, "").split(os.pathsep)
    root = Path(__file__).resolve().parents[2]
    installed = {Path(folder).resolve() for folder in (*site.getsitepackages(), site.getusersitepackages())}
    found_by_path = any(not Path(entry).is_absolute() or Path(entry).resolve() == root for entry in sys.path)
    own = [str(root)] if found_by_path and root not in installed else []
    return os.pathsep.join(dict.fromkeys([*(entry for entry in named if Path(entry).is_absolute()), *own]))


def start(
    *arguments: str, folder: Path, variables: Mapping[str, str] | None = None, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a Python process and return.

    Args:
        *arguments: As for `command`.
        folder: Where it starts: one of ours, never the user's current folder.
        variables: Its environment; `environment` if not given.
        **options: Streams and the like, as for `subprocess.Popen`.
    """
    return subprocess.Popen(  # noqa: S603 - a list, our interpreter first
        command(*arguments),
        cwd=folder,
        env=environment() if variables is None else dict(variables),
        stdin=options.pop("stdin", subprocess.DEVNULL),
        **options,
    )


def output(
    *arguments: str, python: str = "", variables: Mapping[str, str] | None = None, timeout_s: float | None = None
) -> str:
    """What a Python process prints that runs to its end in an empty folder; arguments as for `start`."""
    with tempfile.TemporaryDirectory(prefix="compecon-") as folder:
        done = subprocess.run(  # noqa: S603 - likewise
            command(*arguments, python=python),
            cwd=folder,
            env=environment() if variables is None else dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=True,
        )
    return done.stdout
