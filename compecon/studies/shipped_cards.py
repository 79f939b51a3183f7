"""The cards and manifests of a bundle, from its measurements: no number of theirs has another source."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compecon.checkpoints.bundle import ReportedMetric, read_manifest
from compecon.checkpoints.gate.intake import inspect_checkpoint
from compecon.checkpoints.load import size_digest
from compecon.evaluation.evaluate_model import BY_TOKEN
from compecon.evaluation.evaluation_records import EVALUATIONS, EvaluationRecord
from compecon.evaluation.result_store import read_kept
from compecon.studies.build_bundle import write_card
from compecon.studies.bundled_models import Say
from compecon.studies.family import write_member_card
from compecon.studies.family_members import ELASTIC, FAMILY
from compecon.studies.shipped import FEW_BUDGETS, SHEETS, Sheet, bundled_in, not_measured, parent_of
from compecon.tasks.task_metrics import perplexity


def write_cards(assets: Path, *, only: Collection[str] = (), say: Say) -> None:
    """Write the cards and manifests of a bundle again, all if `only` is empty.

    Raises:
        CompeconError: If a checkpoint, with its present weights, lacks a measurement.
    """
    records = read_kept(assets / f"{EVALUATIONS}.jsonl", EvaluationRecord.read)
    for name in bundled_in(assets):
        if only and name not in only:
            continue
        folder = assets / "checkpoints" / name
        digest = inspect_checkpoint(folder, trusted_root=folder.parent).digest
        own = [record for record in records if record.checkpoint == name and record.key.digest == digest]
        known, beyond = card_metrics(name, own)
        if name in FAMILY:
            training = read_manifest(folder)["training"]
            _measure_sizes(training.get("sizes", ()), name, digest, records)
            write_member_card(folder, training, known, beyond)
        else:
            write_card(folder, known, beyond)
        say(f"{name}: {len(known)} numbers, {len(beyond)} on other data")


def _measure_sizes(
    sizes: Iterable[dict[str, Any]], name: str, digest: str, records: Iterable[EvaluationRecord]
) -> None:
    """Write into the sizes of a record what was measured of them."""
    for size in sizes:
        of_size = digest if size["budget"] == 1 else size_digest(digest, size["budget"])
        own = [record for record in records if record.key.digest == of_size]
        size["metrics"] = [
            asdict(metric)
            for sheet in SHEETS[parent_of(name)]
            for record in sorted(own, key=lambda one: -(one.key.keys or 1_000_000))
            if sheet.known and (record.key.task, record.key.split) == (sheet.shown_task, sheet.split)
            for metric in _reported(record, sheet, record.key.keys)
        ]
        if not size["metrics"]:
            raise not_measured(name, f"at {size['budget']:g}")


def card_metrics(name: str, records: Iterable[EvaluationRecord]) -> tuple[list[ReportedMetric], list[ReportedMetric]]:
    """What the card of a checkpoint reports: numbers on the tasks it was trained on, and numbers on other data.

    Raises:
        CompeconError: If a measurement is missing.
    """
    found = {(record.key.task, record.key.split, record.key.keys): record for record in records}
    known: list[ReportedMetric] = []
    beyond: list[ReportedMetric] = []
    for sheet in SHEETS[parent_of(name)]:
        for keys in card_budgets(name, sheet):
            record = found.get((sheet.shown_task, sheet.split, keys))
            if record is None:
                raise not_measured(name, f"on {sheet.description}")
            (known if sheet.known else beyond).extend(_reported(record, sheet, keys))
    return known, beyond


def card_budgets(name: str, sheet: Sheet) -> tuple[int | None, ...]:
    """Numbers of keys at which the card reports a checkpoint; None for all."""
    if name.endswith(f"-{ELASTIC}"):
        return (None, *FEW_BUDGETS)
    return (None,) if sheet.known else (None, *sheet.budgets_of(name))


def _reported(record: EvaluationRecord, sheet: Sheet, keys: int | None) -> Iterable[ReportedMetric]:
    every = record.metrics if sheet.task == "corpus" else {record.metric: record.score}
    for metric, score in every.items():
        name = BY_TOKEN if metric == perplexity.name else metric
        at = "" if keys is None else f" at {keys} key{'s' if keys > 1 else ''}"
        if not math.isnan(score.value):  # a correlation, where a budget makes all answers alike
            yield ReportedMetric(f"{name}{at}", sheet.reported if sheet.known else sheet.description, **asdict(score))
