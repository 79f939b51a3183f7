"""Where the dashboard's own files are: the repository in a checkout, inside the package in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def dashboard_root() -> Path:
    """Folder that holds ``app``, ``pages``, ``assets`` and ``.streamlit``."""
    checkout = _PACKAGE.parent
    return checkout if (checkout / "app" / "streamlit_app.py").is_file() else _PACKAGE / "_dashboard"


def assets() -> Path:
    """Folder of bundled checkpoints, recorded traces, texts and the canvas."""
    return dashboard_root() / "assets"


def file_stamp(path: Path) -> tuple[int, int]:
    """What changes with a file's content: when it was written, in nanoseconds, and bytes; zeros if there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
