"""Build the bundled checkpoints, from a data folder or from the Hub's copies of the same data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import Field

from compecon.checkpoints.bundle import WEIGHTS, ReportedMetric, add_entries, describe, read_manifest, save_weights
from compecon.checkpoints.load import load_of_bundle
from compecon.checkpoints.pretrained import Base, pretrained_folder, read_encoder, shrunk
from compecon.errors import did_you_mean
from compecon.evaluation.evaluate_model import BY_TOKEN, BY_WORD, evaluate_checkpoint
from compecon.settings.model import settings_model
from compecon.studies.bundled_card import FACTS, bundled_card
from compecon.studies.bundled_models import CausalPlan, EncoderPlan, Say, train_causal, train_encoder
from compecon.studies.family import build_family
from compecon.studies.family_members import FAMILY, FamilyPlan
from compecon.studies.pairs import rehearsed
from compecon.tasks.readers import data_folder as files
from compecon.tasks.readers import hub_tables as hub
from compecon.tasks.readers.glue import entailment
from compecon.tasks.readers.language_modeling import hub_corpus, read_corpus
from compecon.tasks.task import Task
from compecon.training.training_settings import FineTuneSettings

_READERS: Mapping[str, tuple[Callable[[Path], Task], Callable[[], Task]]] = {
    "sst2": (files.read_sst2, hub.hub_sst2),
    "stsb": (files.read_stsb, hub.hub_stsb),
    "mnli": (files.read_mnli, hub.hub_mnli),
    "sick": (files.read_sick, hub.hub_sick),
}
_VOCABULARY = ("sst2", "stsb", "mnli")  # tasks whose training texts choose the encoders' vocabulary
_EMBEDDINGS = "bert.embeddings."
ENCODERS = ("sentiment", "similarity", "entailment")
NAMES = (*ENCODERS, "causal", *FAMILY)


_ENCODER_PLANS = {
    "sentiment": EncoderPlan(student=FineTuneSettings(epochs=4), teacher=FineTuneSettings(epochs=2)),
    "similarity": EncoderPlan(student=FineTuneSettings(epochs=4), rehearsal=FineTuneSettings(epochs=2)),
    "entailment": EncoderPlan(
        student=FineTuneSettings(epochs=3), rehearsal=FineTuneSettings(epochs=2, learning_rate=2e-4, batch_size=32)
    ),
}


@settings_model
class BundlePlan:
    """How each checkpoint of the bundle is trained."""

    encoders: Mapping[str, EncoderPlan] = Field(
        default_factory=_ENCODER_PLANS.copy, description='Plans of "sentiment", "entailment" and "similarity".'
    )
    causal: CausalPlan = Field(default=CausalPlan(), description='Plan of "causal".')
    family: FamilyPlan = Field(default=FamilyPlan(), description="Plan of all that is made from two of the encoders.")
    pieces: int = Field(default=8000, ge=1, description="Size of the encoders' common vocabulary.")
    pretrained: Path | None = Field(
        default=None, description="Folder of the encoder to cut; the installed all-MiniLM-L6-v2 if None."
    )


def build_bundle(
    out: Path,
    data: Path | None = None,
    *,
    only: Collection[str] = NAMES,
    seed: int = 0,
    plan: BundlePlan | None = None,
    report: Say = lambda _: None,
) -> tuple[Path, ...]:
    """Train the bundled checkpoints, save them, and measure what was saved.

    The encoders' vocabulary is chosen from the train splits of SST-2, STS-B and MNLI, whichever encoder is trained, so
    that checkpoints built one at a time share one embedding file.

    Args:
        out: Folder to write `<name>/` and `shared/` into.
        data: Data folder in the layout of `data_folder` and `language_modeling` in `compecon.tasks.readers`; the Hub's
            copies if None.
        only: Which of `NAMES` to build; members of the family need their parents in `out`.
        seed: Seed of every training.
        plan: How to train; the plan of the shipped checkpoints if None.
        report: Gets progress, a sentence at a time.

    Raises:
        ValueError: If a name is unknown.
        FileNotFoundError: If the data folder lacks a file.
        OfflineError: If the Hub is needed and out of reach.
        CheckpointError: If the pretrained encoder is not installed, or `out` holds other shared embeddings.
    """
    unknown = sorted(set(only) - set(NAMES))
    if unknown:
        meant = did_you_mean(unknown[0], NAMES)
        raise ValueError(f"no checkpoint is called {', '.join(unknown)}.{meant} There are: {', '.join(NAMES)}.")
    run = _Run(out, data, plan or BundlePlan(), seed, report)
    encoders = [name for name in ENCODERS if name in only]
    folders = _build_encoders(encoders, run) if encoders else []
    if "causal" in only:
        folders.append(_build_causal(run))
    if set(only) & set(FAMILY):
        tasks = {"sentiment": _read("sst2", data), "similarity": _read("stsb", data)}
        folders += build_family(out, tasks, only=only, seed=seed, plan=run.plan.family, report=report)
    return tuple(folders)


@dataclass(frozen=True)
class _Run:
    """What all parts of one build have in common."""

    out: Path
    data: Path | None
    plan: BundlePlan
    seed: int
    report: Say


def _build_encoders(names: Sequence[str], run: _Run) -> list[Path]:
    sst2, stsb, mnli = tasks = [_read(name, run.data) for name in _VOCABULARY]
    base = _base_of(tasks, run.plan)
    folders = []
    for name in names:
        task = {"sentiment": sst2, "similarity": stsb, "entailment": mnli}[name]
        if name == "similarity":
            task = rehearsed(base, task, seed=run.seed, max_tokens=run.plan.encoders[name].max_tokens)
        if name == "entailment":
            task = entailment(mnli, _read("sick", run.data))
        folders.append(_build_encoder(name, base, task, run))
    return folders


def bundled_base(data: Path | None = None) -> Base:
    """The pretrained encoder on the bundle's vocabulary, that the bundled encoders are cut from."""
    return _base_of([_read(name, data) for name in _VOCABULARY], BundlePlan())


def _base_of(tasks: Sequence[Task], plan: BundlePlan) -> Base:
    texts = [task.part("train").all_texts for task in tasks]
    return shrunk(*read_encoder(plan.pretrained or pretrained_folder()), texts, plan.pieces)


def _read(name: str, data: Path | None) -> Task:
    from_files, from_hub = _READERS[name]
    return from_files(data) if data else from_hub()


def _build_encoder(name: str, base: Base, task: Task, run: _Run) -> Path:
    folder, plan = run.out / name, run.plan.encoders[name]
    model = train_encoder(base, task, plan, seed=run.seed, report=run.report)
    save_weights(model, base.tokenizer, folder, shared_prefix=_EMBEDDINGS)
    made = load_of_bundle(folder)  # what is reported is what was saved, float16 rounding included
    found = {split: evaluate_checkpoint(made, task, split, max_tokens=plan.max_tokens) for split in task.reported}
    metrics = [ReportedMetric(task.metric, split, **asdict(one.estimate)) for split, one in found.items()]
    _finish(name, folder, metrics, run)
    return folder


def _build_causal(run: _Run) -> Path:
    folder, plan = run.out / "causal", run.plan.causal
    corpus = read_corpus(run.data) if run.data else hub_corpus()
    model, tokenizer = train_causal(corpus, plan, seed=run.seed, report=run.report)
    save_weights(model, tokenizer, folder)
    found = evaluate_checkpoint(load_of_bundle(folder), corpus, "test").metrics
    named = zip((BY_TOKEN, BY_WORD), found.values(), strict=True)
    metrics = [ReportedMetric(name, "test", **asdict(estimate)) for name, estimate in named]
    _finish("causal", folder, metrics, run)
    return folder


def _finish(name: str, folder: Path, metrics: Sequence[ReportedMetric], run: _Run) -> None:
    write_card(folder, metrics, plan=run.plan, seed=run.seed)
    for metric in metrics:
        run.report(f"{name}: {metric.split} {metric.name} {metric.value:.4g} [{metric.low:.4g}, {metric.high:.4g}]")


def write_card(
    folder: Path,
    metrics: Sequence[ReportedMetric],
    beyond: Sequence[ReportedMetric] = (),
    *,
    plan: BundlePlan | None = None,
    seed: int = 0,
) -> None:
    """Write the card of a checkpoint that is none of the family, and the words and numbers of its manifest.

    Args:
        folder: The checkpoint.
        metrics: Numbers measured on the saved weights.
        beyond: The same on other data, for the card.
        plan: How it was trained; the plan of the shipped checkpoints if None.
        seed: Of its training.
    """
    name, chosen = folder.name, plan or BundlePlan()
    facts = FACTS[name]
    card = bundled_card(facts, _rounds(name, chosen), seed, metrics, read_manifest(folder)["sha256"][WEIGHTS], beyond)
    describe(folder, title=facts.title, task=name, metrics=metrics, card=card)
    add_entries(folder, {"limits": facts.limits})


def _rounds(name: str, plan: BundlePlan) -> dict[str, FineTuneSettings]:
    if name == "causal":
        return {"training": plan.causal.settings}
    own = plan.encoders[name]
    rounds = {"teacher": own.teacher, "first round": own.rehearsal, "last round": own.student}
    return {what: settings for what, settings in rounds.items() if settings is not None}
