"""Public names of a package, loaded when they are first used: `import compecon` must not cost what torch does.

As in Scientific Python's `lazy_loader`, the stub beside a package's ``__init__.py`` says, for type checkers and for us,
which names there are and where each is defined::

    from compecon.attention.budget import KeyBudget as KeyBudget
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # a worker that waits for its turn imports this, and not `typing`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def attach(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's functions ``__getattr__`` and ``__dir__``, given its ``__name__``; they give it ``__all__`` too."""
    homes: dict[str, str] = {}

    def public() -> dict[str, str]:
        if not homes:
            homes.update(_homes(package))
        return homes

    def load(name: str) -> Any:
        if name == "__all__":
            return sorted(public())
        if name.startswith("__") or name not in public():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - likewise, and `ast` below

        home = homes[name]
        found = import_module(f"{package}.{name}") if home == package else getattr(import_module(home), name)
        vars(sys.modules[package])[name] = found  # from now on it is found without us
        return found

    def names() -> list[str]:
        return sorted(public())

    return load, names


def _homes(package: str) -> dict[str, str]:
    """The module that defines each name of a package's stub; a sub-package's is the package itself."""
    import ast  # noqa: PLC0415

    module: Any = sys.modules[package]
    stub = module.__spec__.loader.get_data(module.__file__.removesuffix(".py") + ".pyi")
    found = {}
    for line in ast.parse(stub).body:
        if isinstance(line, ast.ImportFrom):
            found.update({alias.name: str(line.module) for alias in line.names})
        elif isinstance(line, ast.AnnAssign):  # the package's own
            found[ast.unparse(line.target)] = package
    return found
