"""Methods by name: each is declared once, and menus, command lines, addresses and legends read it from here.

A registry knows a method before it is loaded, so that menus open without torch. Those of this package are declared by
the name of their class. An installed package names modules in the entry point group `compecon.methods`; they are
imported when a registry is first asked for its names, and one that cannot be used costs a sentence and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from threading import RLock
from typing import Any, Generic, TypeVar

GROUP = "compecon.methods"
_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,59}")
_lock = RLock()
_problems: list[str] | None = None  # None until installed packages were looked at


@dataclass(frozen=True, kw_only=True)
class Method:
    """What is known of a method before it is loaded."""

    name: str  # what a command line, an address and a file call it
    label: str  # what a menu says
    short: str = ""  # what a legend says; the label if empty
    factory: Callable[..., Any] | str  # its class or a function that makes it, or where that is: "package.module:Name"
    options: Mapping[str, Any] = field(default_factory=dict)  # arguments that it is made with unless others are given

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a method's name is lower-case letters, digits and . _ / -, got {self.name!r}.")
        if not self.label.strip() or not (self.label + self.short).isprintable():
            raise ValueError(f"the label of {self.name} must be a line of text, got {self.label!r}.")
        object.__setattr__(self, "short", self.short or self.label)

    @property
    def home(self) -> tuple[str, str]:
        """The module and the name to import from it."""
        if isinstance(self.factory, str):
            module, _, name = self.factory.partition(":")
            return module, name
        return self.factory.__module__, getattr(self.factory, "__qualname__", repr(self.factory))

    def load(self) -> Callable[..., Any]:
        """Its class, or the function that makes it; ValueError if it cannot be imported."""
        if not isinstance(self.factory, str):
            return self.factory
        module, name = self.home
        try:
            loaded: Callable[..., Any] = getattr(import_module(module), name)
        except Exception as error:  # whatever a stranger's module raises
            raise ValueError(f"{self.name} cannot be loaded from {self.factory}: {error}.") from error
        return loaded


M = TypeVar("M", bound=Method)
T = TypeVar("T")


class Registry(Mapping[str, M], Generic[M, T]):
    """Methods of one kind by name, in the order of their declaration.

    Args:
        kind: What one is called in messages: "policy".
        entry: What is known of each.
        base: Class of all that are made, "package.module:Name"; "" if functions make what they like.
    """

    def __init__(self, kind: str, entry: type[M], base: str = "") -> None:
        self.kind, self._entry, self._base = kind, entry, base
        self._known: dict[str, M] = {}

    def __getitem__(self, name: str) -> M:
        read_installed()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        read_installed()
        return iter(tuple(self._known))

    def __len__(self) -> int:
        read_installed()
        return len(self._known)

    def declare(self, name: str, factory: Callable[..., Any] | str, **about: Any) -> None:
        """Enter a method.

        Args:
            name: Its name, which must be new.
            factory: As of `Method`.
            **about: Its label, and whatever else the entries of this registry hold.

        Raises:
            ValueError: If the name is taken or malformed.
            TypeError: If the class does not extend the base, or entries have no such attribute.
        """
        if self._base and isinstance(factory, type) and not issubclass(factory, self._class()):
            raise TypeError(
                f"{factory.__qualname__} is not a {self.kind}: it must extend {self._class().__qualname__}."
            )
        method = self._entry(name=name, factory=factory, **about)
        if self._known.get(name, method).home != method.home:  # a class that is defined again takes its own place
            raise ValueError(f"there already is a {self.kind} {name!r}. Choose another name.")
        self._known[name] = method

    def register(self, name: str, **about: Any) -> Callable[[T_Factory], T_Factory]:
        """Enter the class or function below this line; arguments and errors as of `declare`."""

        def enter(factory: T_Factory) -> T_Factory:
            self.declare(name, factory, **about)
            return factory

        return enter

    def find(self, name: str) -> M:
        """What is known of a method; ValueError if there is none of that name."""
        if name not in self:
            raise ValueError(f"{self.kind} must be one of {', '.join(self)}, got {name!r}.")
        return self[name]

    def load(self, name: str) -> type[T]:
        """The class of a method; ValueError if there is none of that name, or it cannot be loaded."""
        loaded: Any = self.find(name).load()
        kind: type[T] = loaded
        if not (isinstance(loaded, type) and issubclass(loaded, self._class())):
            raise ValueError(f"{name} is not a {self.kind}: it must extend {self._class().__qualname__}.")
        return kind

    def make(self, name: str, **options: Any) -> T:
        """A method made with its declared options, overridden by these.

        Raises:
            ValueError: If there is none of that name, it cannot be loaded, or an option is out of its range.
        """
        method = self.find(name)
        made: T = method.load()(**{**method.options, **options})
        if self._base and not isinstance(made, self._class()):
            raise ValueError(f"{name} makes a {type(made).__qualname__}, which is not a {self.kind}.")
        return made

    def _class(self) -> type:
        module, _, name = self._base.partition(":")
        found: type = getattr(import_module(module), name)
        return found


T_Factory = TypeVar("T_Factory", bound=Callable[..., Any])


def read_installed() -> tuple[str, ...]:
    """Import what installed packages bring, once per process; returns a sentence for each that cannot be used."""
    global _problems
    with _lock:
        if _problems is None:
            _problems = []  # a module that looks at a registry while it is imported sees what there is so far
            _problems += filter(None, map(_problem_of, entry_points(group=GROUP)))
        return tuple(_problems)


def _problem_of(point: EntryPoint) -> str:
    try:
        point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises
        package = point.dist.name if point.dist else point.value
        why = " ".join(str(error).split())[:300]
        return (
            f"The method {point.name} of the package {package} is left out: {type(error).__name__}: {why.rstrip('.')}."
        )
    return ""
