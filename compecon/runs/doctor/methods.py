"""Methods of installed packages that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compecon.allocation.rules import RULES
from compecon.attention.policies import POLICIES
from compecon.compression.importance import IMPORTANCES
from compecon.incentives.costs import COSTS
from compecon.registry import Method, read_installed
from compecon.runs.doctor.findings import Finding
from compecon.tasks.task_registry import TASKS

_REGISTRIES: tuple[Mapping[str, Method], ...] = (POLICIES, RULES, COSTS, IMPORTANCES, TASKS)


def check_methods() -> Iterator[Finding]:
    """Packages whose methods are left out, and methods declared by a name that leads nowhere."""
    for sentence in read_installed():
        yield Finding("machine", "problem", sentence)
    declared = [method for registry in _REGISTRIES for method in registry.values() if isinstance(method.factory, str)]
    for method in declared:
        if method.home[0].startswith("compecon."):
            continue  # loading ours takes seconds, and tests do it
        try:
            method.load()
        except ValueError as error:
            yield Finding("machine", "problem", f"A method of an installed package cannot be used: {error}")
