"""What runs depend on: library versions, GPUs, and methods of installed packages. No library is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from compecon.allocation.rules import RULES
from compecon.attention.policies import POLICIES
from compecon.compression.importance import IMPORTANCES
from compecon.incentives.costs import COSTS
from compecon.paths import dashboard_root
from compecon.registry import Method, read_installed
from compecon.runs.devices_here import visible_gpus
from compecon.runs.doctor.findings import Finding
from compecon.runs.jobs.options import installed_trackers
from compecon.runs.submission import LIBRARIES
from compecon.tasks.task_registry import TASKS

_REGISTRIES: tuple[Mapping[str, Method], ...] = (POLICIES, RULES, COSTS, IMPORTANCES, TASKS)


def check_machine() -> Iterator[Finding]:
    """Libraries that are missing, too old or untested, and whether a GPU is visible."""
    for text in _needed():
        if (sentence := _unmet(text)) is not None:
            yield Finding("machine", "problem", sentence)
    tested = _tested(dashboard_root() / "constraints.txt")
    differs = [
        f"{name} {installed} ({tested[name]})"
        for name, installed in _installed()
        if tested.get(name, installed) != installed
    ]
    if differs:
        sentence = f"Installed versions that differ from the tested ones (in brackets): {', '.join(differs)}."
        yield Finding("machine", "note", sentence)
    gpus = visible_gpus()
    seen = f"Visible NVIDIA GPUs: {', '.join(gpus)}." if gpus else "No NVIDIA GPU is visible: runs use the CPU."
    yield Finding("machine", "note", seen)
    if trackers := installed_trackers():
        yield Finding("machine", "note", f"Trainings can report to {', '.join(trackers)} (--report-to).")


def _needed() -> list[str]:
    try:
        return requires("compecon") or []
    except PackageNotFoundError:
        return []


def _unmet(text: str) -> str | None:
    """What is wrong with a required library; None if nothing is."""
    try:
        need = Requirement(text)
    except InvalidRequirement:
        return None
    if need.marker is not None and not need.marker.evaluate({"extra": ""}):
        return None
    try:
        found = version(need.name)
    except PackageNotFoundError:
        return f"{need.name} is required but not installed. Reinstall compecon."
    if not need.specifier.contains(found, prereleases=True):
        return f"{need.name} {found} is installed, but {need.specifier} is required. Reinstall compecon."
    return None


def _tested(path: Path) -> dict[str, str]:
    """Versions that were tested together; none in a wheel."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(";")[0].split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}


def _installed() -> Iterator[tuple[str, str]]:
    for name in LIBRARIES:
        try:
            yield name, version(name).partition("+")[0]
        except PackageNotFoundError:
            continue


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
