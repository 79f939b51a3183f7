"""Plotly's script as far as the Frontier page needs it.

The installed file holds 47 kinds of traces besides scatter: three quarters of its 4.8 MB, and to start it takes four
times as long as to start the core. It is one bundle: each module comes after those that it asks for, the core before
every kind of trace, and the last module asks for the core and registers the rest with it. So what lies between the core
and the last module is left out, and so is what the last one registers.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.server.addresses import PREFIX

PLOTLY = f"{PREFIX}/plotly.js"
_NAME = rb"[\w$]+"
_LAST = re.compile(
    rb"var (?P<last>%(n)s)=(?P<module>%(n)s)\(\(%(n)s,%(n)s\)=>\{var (?P<plotly>%(n)s)=(?P<core>%(n)s)\(\);"
    rb"(?P<registers>(?P=plotly)\.register\(\[(?:%(n)s\(\),?)+\]\);)%(n)s\.exports=(?P=plotly)\}\);"
    rb"return (?P=last)\(\);\}\)\(\);" % {b"n": _NAME}
)
_LONGEST = 10_000  # bytes from the start of the last module to the end of the file


def plotly_address() -> str:
    """Where the script is; another version has another address."""
    return f"{PLOTLY}?v={version('plotly')}-scatter"


def plotly_file() -> Path:
    """Plotly's own script as it lies in the installed package. To find it imports nothing: that takes long."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("plotly is not installed. Reinstall compecon with its dependencies.")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


def scatter_alone(script: bytes) -> bytes:
    """A bundle of Plotly's without any kind of trace but scatter; one that is built in another way, as it is."""
    last = _LAST.search(script, max(0, len(script) - _LONGEST))
    if last is None:
        return script
    module, core = re.escape(last["module"]), re.escape(last["core"])
    own = rb'var %(core)s=%(module)s\(\(%(n)s,%(n)s\)=>\{"use strict";%(n)s\.exports=%(n)s\(\)\}\);'
    found = re.search(own % {b"core": core, b"module": module, b"n": _NAME}, script)
    if found is None:
        return script
    return script[: found.end()] + script[last.start() : last.start("registers")] + script[last.end("registers") :]
