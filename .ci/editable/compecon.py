"""What `pip install -e .` puts on the module path: this folder, and with it one name. It becomes the package itself.

The checkout's own folder would make `app`, `pages` and `tests` importable by every program of the environment.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

spec = spec_from_file_location(__name__, Path(__file__).resolve().parents[2] / __name__ / "__init__.py")
assert spec is not None and spec.loader is not None  # noqa: PT018, S101 - for type checkers: it is a Python file
sys.modules[__name__] = module = module_from_spec(spec)
spec.loader.exec_module(module)
