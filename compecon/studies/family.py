"""The bundled family: every size of a bundled checkpoint in one, and the rival to compare it with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from compecon.checkpoints.bundle import (
    WEIGHTS,
    ReportedMetric,
    add_entries,
    add_file,
    describe,
    read_manifest,
    save_weights,
)
from compecon.checkpoints.elastic_file import written_prices
from compecon.checkpoints.gate.small_files import ELASTIC
from compecon.checkpoints.load import Checkpoint, load_of_bundle
from compecon.evaluation.evaluate_model import Evaluation, evaluate, evaluate_checkpoint
from compecon.flops import forward_macs
from compecon.latency import compare_latency
from compecon.studies.bundled_card import FACTS
from compecon.studies.bundled_models import Say
from compecon.studies.family_card import family_card
from compecon.studies.family_members import BY_NAME, FAMILY, MEMBERS, PARENTS, FamilyPlan, Made, Member
from compecon.tasks.encode_rows import encode
from compecon.tasks.objectives import objective_of
from compecon.tasks.task import Task
from compecon.training.arms import Start
from compecon.training.size_quality import measured_sizes
from compecon.training.training_settings import FineTuneSettings
from compecon.training.training_setup import with_soft_targets

_BATCH, _TOKENS, _SECONDS = 8, 64, 10.0  # that latency is quoted for, and to measure it in
_MAX_TOKENS = 128


def build_family(
    bundle: Path,
    tasks: Mapping[str, Task],
    *,
    only: Collection[str] = FAMILY,
    seed: int = 0,
    plan: FamilyPlan | None = None,
    report: Say = lambda _: None,
) -> tuple[Path, ...]:
    """Train the family of the parents in a bundle, save it beside them, and measure what was saved.

    Raises:
        CheckpointError: If a parent is absent.
    """
    chosen, folders = plan or FamilyPlan(), []
    for parent in PARENTS:
        members = [member for member in MEMBERS if f"{parent}-{member.suffix}" in only]
        if not members:
            continue
        checkpoint, task = load_of_bundle(bundle / parent), tasks[parent]
        start = _start(checkpoint, task, chosen, seed)
        for member in members:
            own = _with_settings(start, member.settings(chosen), seed)
            folders.append(_saved(bundle, checkpoint, task, own, member, member.make(own, chosen)))
            report(f"{folders[-1].name}: {_numbers(read_manifest(folders[-1]))}")
    return tuple(folders)


def time_family(bundle: Path, *, only: Collection[str] = FAMILY, report: Say = lambda _: None) -> tuple[Path, ...]:
    """Measure again how long members take against their parents; to be called where nothing was trained before.

    Members that are absent are passed over. Only manifests are written; `compecon.studies.shipped_cards` writes cards.

    Raises:
        CheckpointError: If a checkpoint cannot be loaded.
    """
    folders = [bundle / name for name in FAMILY if name in only and (bundle / name).is_dir()]
    for folder in folders:
        manifest = read_manifest(folder)
        training = manifest["training"]
        parent, member = (load_of_bundle(bundle / name) for name in (training["parent"], folder.name))
        _time(training, parent.model, member)
        add_entries(folder, {"training": training})
        report(f"{folder.name}: {_numbers(read_manifest(folder))}")
    return tuple(folders)


def _start(checkpoint: Checkpoint, task: Task, plan: FamilyPlan, seed: int) -> Start:
    rows = encode(checkpoint.tokenizer, task.part("train"), _MAX_TOKENS)
    rows = with_soft_targets(checkpoint.model, checkpoint.tokenizer, rows)
    objective = objective_of(task.kind, plan.teacher_share)
    return Start(checkpoint.model, checkpoint.tokenizer, rows, objective, replace(plan.after, seed=seed))


def _with_settings(start: Start, settings: FineTuneSettings, seed: int) -> Start:
    steps = settings.total_steps(len(start.rows))
    # Embeddings stay as they are: they are stored once for all.
    return replace(start, settings=replace(settings, seed=seed, steps=steps, freeze_embeddings=True))


def _saved(bundle: Path, parent: Checkpoint, task: Task, start: Start, member: Member, made: Made) -> Path:
    folder, outcome = bundle / f"{parent.path.name}-{member.suffix}", made.outcome
    save_weights(outcome.model, parent.tokenizer, folder, "bert.embeddings.")
    if made.prices is not None:
        add_file(folder, ELASTIC, written_prices(made.prices))
    saved = load_of_bundle(folder)  # what is reported is what was saved, float16 rounding included
    training: dict[str, Any] = {
        "method": member.method,
        "parent": parent.path.name,
        "parent_digest": parent.digest,
        "target": member.target,
        "share": outcome.share,
        "macs": forward_macs(saved.model, start.n_tokens),
        "dense_macs": forward_macs(parent.model, start.n_tokens),
        "n_tokens": start.n_tokens,
        "seed": start.settings.seed,
        "steps": outcome.steps,
        "settings": asdict(start.settings),
    }
    if sizes := measured_sizes(saved, start.n_tokens, lambda model: _of_size(model, saved, task)):
        training["sizes"] = [size.written() for size in sizes]
    _time(training, parent.model, saved)
    estimate = evaluate_checkpoint(saved, task, "test", max_tokens=_MAX_TOKENS).estimate
    write_member_card(folder, training, [ReportedMetric(task.metric, "test", **asdict(estimate))])
    return folder


def _of_size(model: Any, saved: Checkpoint, task: Task) -> Mapping[str, Evaluation]:
    return {"test": evaluate(model, saved.tokenizer, task, "test", max_tokens=_MAX_TOKENS)}


def _time(training: dict[str, Any], parent: Any, made: Checkpoint) -> None:
    """Write into the record how long a member takes against its parent, and each of its sizes."""
    sizes = training.get("sizes", ())
    for size in sizes:
        size["latency"] = _latency(parent, made.at(size["budget"]).model)
    training["latency"] = sizes[0]["latency"] if sizes else _latency(parent, made.model)


def write_member_card(
    folder: Path,
    training: Mapping[str, Any],
    metrics: Sequence[ReportedMetric],
    beyond: Sequence[ReportedMetric] = (),
) -> None:
    """Write the card of a member, and the words and numbers of its manifest.

    Args:
        folder: The member.
        training: How it came about.
        metrics: Numbers measured on the saved weights.
        beyond: The same on other data, for the card.
    """
    parent, member = training["parent"], BY_NAME[folder.name]
    title = f"{parent.capitalize()}: {member.title}"  # the difference comes early: menus cut what is long
    card = family_card(FACTS[parent], title, training, metrics, read_manifest(folder)["sha256"][WEIGHTS], beyond)
    describe(folder, title=title, task=parent, metrics=metrics, card=card)
    add_entries(folder, {"training": training, "limits": FACTS[parent].limits})


def _latency(dense: Any, smaller: Any) -> dict[str, Any]:
    ids = torch.randint(5, dense.config.vocab_size, (_BATCH, _TOKENS), generator=torch.Generator().manual_seed(0))
    sides = (lambda: dense(input_ids=ids), lambda: smaller(input_ids=ids))
    return {"batch": _BATCH, "n_tokens": _TOKENS, **asdict(compare_latency(*sides, threads=1, limit_s=_SECONDS))}


def _numbers(manifest: Mapping[str, Any]) -> str:
    training: Mapping[str, Any] = manifest["training"]
    metrics: Sequence[Mapping[str, Any]] = manifest["metrics"]
    return f"{training['share']:.3f} of the MACs, {training['latency']['ratio']:.2f} of the time; " + ", ".join(
        f"{metric['name']} {metric['value']:.4g}" for metric in metrics
    )
