"""The bundled family: bundled checkpoints made smaller by a price on their compute, and their rivals."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import Field

from compecon.attention.budget import KeyBudget
from compecon.checkpoints.bundle import WEIGHTS, ReportedMetric, add_entries, describe, read_manifest, save_weights
from compecon.checkpoints.load import Checkpoint, load_of_bundle
from compecon.evaluation.evaluate_model import evaluate_checkpoint
from compecon.flops import forward_macs
from compecon.latency import compare_latency
from compecon.settings.model import settings_model
from compecon.studies.any_budget import MEASURED, train_any_budget
from compecon.studies.bundled_card import FACTS
from compecon.studies.bundled_models import Say
from compecon.studies.family_card import family_card
from compecon.tasks.encode_rows import encode
from compecon.tasks.objectives import objective_of
from compecon.tasks.task import Task
from compecon.training.arms import Outcome, Start, priced, pruned, recovered, untouched
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings
from compecon.training.training_setup import with_soft_targets

_BATCH, _TOKENS, _SECONDS = 8, 64, 10.0  # that latency is quoted for, and to measure it in
_MAX_TOKENS = 128


@dataclass(frozen=True)
class Member:
    """A checkpoint of the family."""

    suffix: str  # its name is that of its parent, a hyphen, and this
    title: str  # shown after the parent's name
    make: Callable[[Start], Outcome]
    method: str  # "incentive", "budget dropout" or the name of a post-hoc method
    target: float | None = None  # share of the MACs of heads and neurons; None for all of them
    keys: tuple[int, ...] = ()  # budgets at which its metric is reported, beside all keys


def _incentive(percent: int) -> Member:
    settings = IncentiveSettings(target=percent / 100)
    title = f"{percent}% of the MACs (incentive)"
    return Member(f"{percent}", title, lambda start: priced(start, settings), "incentive", settings.target)


def _rival(percent: int, method: str) -> Member:
    def make(start: Start) -> Outcome:
        return recovered(start, pruned(start, method, percent / 100))

    return Member(f"{percent}-{method}", f"{percent}% of the MACs ({method})", make, method, percent / 100)


def _any_budget(start: Start) -> Outcome:
    settings = replace(start.settings, steps=2 * (start.settings.steps or 1))
    longer = replace(start, settings=settings)
    return replace(untouched(start), model=train_any_budget(longer), steps=settings.steps or 0)


MEMBERS = (
    _incentive(60),
    _incentive(45),
    _incentive(30),
    _rival(45, "taylor"),
    Member("any-budget", "any key budget", _any_budget, "budget dropout", keys=tuple(k for k in MEASURED if k)),
)
PARENTS = ("sentiment", "similarity")
_MEMBERS = {f"{parent}-{member.suffix}": member for parent in PARENTS for member in MEMBERS}
FAMILY = tuple(_MEMBERS)


@settings_model
class FamilyPlan:
    """How the family is trained."""

    after: FineTuneSettings = Field(
        default=FineTuneSettings(epochs=1.5), description="How every member is trained; embeddings stay as they are."
    )
    teacher_share: float = Field(default=0.5, ge=0, le=1, description="Weight of the parent's logits in the loss.")


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
            outcome = member.make(start)
            folders.append(_saved(bundle, checkpoint, task, start, member, outcome))
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
        parent, member = (load_of_bundle(bundle / name).model for name in (training["parent"], folder.name))
        training["latency"] = _latency(parent, member)
        add_entries(folder, {"training": training})
        report(f"{folder.name}: {_numbers(read_manifest(folder))}")
    return tuple(folders)


def _start(checkpoint: Checkpoint, task: Task, plan: FamilyPlan, seed: int) -> Start:
    rows = encode(checkpoint.tokenizer, task.part("train"), _MAX_TOKENS)
    rows = with_soft_targets(checkpoint.model, checkpoint.tokenizer, rows)
    steps = plan.after.total_steps(len(rows))
    settings = replace(plan.after, seed=seed, steps=steps, freeze_embeddings=True)  # they are stored once for all
    return Start(checkpoint.model, checkpoint.tokenizer, rows, objective_of(task.kind, plan.teacher_share), settings)


def _saved(bundle: Path, parent: Checkpoint, task: Task, start: Start, member: Member, outcome: Outcome) -> Path:
    folder = bundle / f"{parent.path.name}-{member.suffix}"
    save_weights(outcome.model, parent.tokenizer, folder, "bert.embeddings.", parent=parent.path)
    made = load_of_bundle(folder)  # what is reported is what was saved, float16 rounding included
    training = {
        "method": member.method,
        "parent": parent.path.name,
        "parent_digest": parent.digest,
        "target": member.target,
        "share": outcome.share,
        "macs": forward_macs(made.model, start.n_tokens),
        "dense_macs": forward_macs(parent.model, start.n_tokens),
        "n_tokens": start.n_tokens,
        "latency": _latency(parent.model, made.model),
        "price": outcome.price,
        "seed": start.settings.seed,
        "steps": outcome.steps,
        "settings": asdict(start.settings),
    }
    write_member_card(folder, training, _metrics(made, task, member))
    return folder


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
    parent, member = training["parent"], _MEMBERS[folder.name]
    title = f"{parent.capitalize()}: {member.title}"  # the difference comes early: menus cut what is long
    card = family_card(FACTS[parent], title, training, metrics, read_manifest(folder)["sha256"][WEIGHTS], beyond)
    describe(folder, title=title, task=parent, metrics=metrics, card=card)
    add_entries(folder, {"training": training, "limits": FACTS[parent].limits})


def _metrics(made: Checkpoint, task: Task, member: Member) -> list[ReportedMetric]:
    found = []
    for keys in (None, *member.keys):
        budget = KeyBudget(keys) if keys else None
        estimate = evaluate_checkpoint(made, task, "test", max_tokens=_MAX_TOKENS, budget=budget).estimate
        name = task.metric if keys is None else f"{task.metric} at {keys} key{'s' if keys > 1 else ''}"
        if not math.isnan(estimate.value):  # a correlation, where a budget makes all answers alike
            found.append(ReportedMetric(name, "test", **asdict(estimate)))
    return found


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
