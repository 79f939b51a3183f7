"""The way into the dashboard: a file that is run, because nothing can import `app`.

Neither a checkout nor an installed copy has this folder on the module path: other programs have packages of that name.
Running this file makes `app` known to the process that does so, and to no other::

    runpy.run_path("app/launch.py")["serve"](port=8501, ...)
    python app/launch.py app.frontier.made_up_page 8600
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_APP = Path(__file__).resolve().parent


class _App(MetaPathFinder):
    """Finds the package `app` in this folder; Python finds the modules inside it."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The package, or None for all other modules."""
        if fullname != _APP.name:
            return None
        return spec_from_file_location(fullname, _APP / "__init__.py", submodule_search_locations=[str(_APP)])


def serve(**options: Any) -> None:
    """Serve the dashboard until interrupted; `app.server.serve.serve` says what there is to choose."""
    from app.server.serve import serve as serve_dashboard  # noqa: PLC0415 - known from here on

    serve_dashboard(**options)


if not any(type(finder).__name__ == _App.__name__ for finder in sys.meta_path):
    sys.meta_path.insert(0, _App())

if __name__ == "__main__":
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
