"""`compecon doctor`: what is wrong with the runs and this machine, and what can be repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from compecon.commands.home import clean, open_runs, print_json
from compecon.commands.options import Json
from compecon.errors import RunError

if TYPE_CHECKING:
    from compecon.runs.doctor.findings import Finding
    from compecon.runs.store import RunStore

_Repair = Annotated[
    bool,
    typer.Option("--repair", help="Repair what can be repaired: damaged files are renamed or moved, never deleted."),
]
_Rehearse = Annotated[
    bool,
    typer.Option("--rehearse", help="Also run, stop and resume a rehearsal in the background; takes some seconds."),
]


def doctor(repair: _Repair = False, json: Json = False, rehearse: _Rehearse = False) -> None:
    """Check the runs and this machine; exit code 1 if something is wrong.

    Runs at work are left alone.
    """
    from compecon.runs.doctor.checkup import check_home
    from compecon.runs.doctor.findings import counted
    from compecon.runs.doctor.machine import check_machine, check_methods

    store = open_runs()
    findings = [*check_machine(), *check_methods(), *check_home(store)]
    if repair:
        findings = [finding.set_right() for finding in findings]
    if rehearse:
        findings.append(_rehearsed(store))
    n_open = sum(finding.is_open for finding in findings)
    if json:
        print_json([_plain(finding) for finding in findings])
    else:
        for finding in findings:
            _tell(finding)
        mendable = sum(finding.is_open and finding.repair is not None for finding in findings)
        more = f" `compecon doctor --repair` repairs {mendable} of them." if mendable and not repair else ""
        typer.echo(f"{counted(n_open, 'problem') if n_open else 'No problems'} in {store.home.root}.{more}")
    raise typer.Exit(1 if n_open else 0)


def _rehearsed(store: RunStore) -> Finding:
    from compecon.runs.doctor.findings import Finding
    from compecon.runs.doctor.rehearse import rehearse
    from compecon.runs.executors.local import LocalExecutor

    try:
        return Finding("machine", "note", rehearse(LocalExecutor(store), store))
    except RunError as error:
        return Finding("machine", "problem", str(error))


def _tell(finding: Finding) -> None:
    mark = {"problem": "!", "note": " "}[finding.level]
    typer.echo(f"{mark} {finding.about}: {clean(finding.sentence)}")
    if finding.repaired:
        typer.echo(f"  repaired: {clean(finding.repaired)}")


def _plain(finding: Finding) -> dict[str, str | bool]:
    return {
        "about": finding.about,
        "level": finding.level,
        "sentence": finding.sentence,
        "can_be_repaired": finding.repair is not None,
        "repaired": finding.repaired,
    }
