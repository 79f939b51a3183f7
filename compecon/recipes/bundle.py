"""Build the bundled checkpoints, from a data folder or from the Hub's copies of the same data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compecon.checkpoints.bundle import WEIGHTS, ReportedMetric, describe, read_manifest, read_weights, save_weights
from compecon.checkpoints.pretrained import Base, pretrained_folder, read_encoder, shrunk
from compecon.finetune import FineTuneSettings
from compecon.recipes.card import FACTS, model_card
from compecon.recipes.causal import CausalPlan, measure_causal, train_causal
from compecon.recipes.encoders import EncoderPlan, Report, measure, train_encoder
from compecon.tasks import files, hub
from compecon.tasks.language_modeling import hub_corpus, read_corpus
from compecon.tasks.metrics import Estimate
from compecon.tasks.task import Task

_TASKS: Mapping[str, tuple[Callable[[Path], Task], Callable[[], Task]]] = {
    "sentiment": (files.read_sst2, hub.hub_sst2),
    "entailment": (files.read_mnli, hub.hub_mnli),
    "similarity": (files.read_stsb, hub.hub_stsb),
}
_EMBEDDINGS = "bert.embeddings."
NAMES = (*_TASKS, "causal")


def _encoder_plans() -> dict[str, EncoderPlan]:
    return {
        "sentiment": EncoderPlan(student=FineTuneSettings(epochs=4), teacher=FineTuneSettings(epochs=2)),
        "entailment": EncoderPlan(student=FineTuneSettings(epochs=2, learning_rate=2e-4, batch_size=32)),
        "similarity": EncoderPlan(student=FineTuneSettings(epochs=4), rehearsal=FineTuneSettings(epochs=1)),
    }


def _causal_plan() -> CausalPlan:
    settings = FineTuneSettings(epochs=3, learning_rate=3e-3, head_multiplier=1, weight_decay=0.1, warmup=0.05)
    return CausalPlan(settings)


@dataclass(frozen=True)
class BundlePlan:
    """How each checkpoint of the bundle is trained.

    Attributes:
        encoders: Plan of "sentiment", "entailment" and "similarity".
        causal: Plan of "causal".
        pieces: Size of the encoders' common vocabulary.
        pretrained: Folder of the encoder to cut; the installed all-MiniLM-L6-v2 if None.
    """

    encoders: Mapping[str, EncoderPlan] = field(default_factory=_encoder_plans)
    causal: CausalPlan = field(default_factory=_causal_plan)
    pieces: int = 8000
    pretrained: Path | None = None


def build_bundle(
    out: Path,
    data: Path | None = None,
    *,
    only: Collection[str] = NAMES,
    seed: int = 0,
    plan: BundlePlan | None = None,
    report: Report = lambda _: None,
) -> tuple[Path, ...]:
    """Train the bundled checkpoints, save them, and measure what was saved.

    The encoders' vocabulary is chosen from the train splits of all three of their tasks, whichever is trained, so that
    checkpoints built one at a time share one embedding file.

    Args:
        out: Folder to write `<name>/` and `shared/` into.
        data: Data folder in the layout of `compecon.tasks.files` and `compecon.tasks.language_modeling`; the Hub's
            copies if None.
        only: Which of "sentiment", "entailment", "similarity" and "causal" to build.
        seed: Seed of every training.
        plan: How to train; the plan of the shipped checkpoints if None.
        report: Is told of progress, a sentence at a time.

    Returns:
        The folders written.

    Raises:
        ValueError: If a name is unknown.
        FileNotFoundError: If the data folder lacks a file.
        OfflineError: If the Hub is needed and out of reach.
        CheckpointError: If the pretrained encoder is not installed, or `out` holds other shared embeddings.
    """
    unknown = sorted(set(only) - set(NAMES))
    if unknown:
        raise ValueError(f"no checkpoint is called {', '.join(unknown)}. There are: {', '.join(NAMES)}.")
    run = _Run(out, data, plan or BundlePlan(), seed, report)
    encoders = [name for name in _TASKS if name in only]
    folders = _build_encoders(encoders, run) if encoders else []
    return (*folders, _build_causal(run)) if "causal" in only else tuple(folders)


@dataclass(frozen=True)
class _Run:
    """What all parts of one build have in common."""

    out: Path
    data: Path | None
    plan: BundlePlan
    seed: int
    report: Report


def _build_encoders(names: Sequence[str], run: _Run) -> list[Path]:
    data, plan = run.data, run.plan
    tasks = {name: from_files(data) if data else from_hub() for name, (from_files, from_hub) in _TASKS.items()}
    corpora = [task.splits["train"].all_texts for task in tasks.values()]
    base = shrunk(*read_encoder(plan.pretrained or pretrained_folder()), corpora, plan.pieces)
    return [_build_encoder(name, base, tasks[name], run) for name in names]


def _build_encoder(name: str, base: Base, task: Task, run: _Run) -> Path:
    folder, plan = run.out / name, run.plan.encoders[name]
    model = train_encoder(base, task, plan, seed=run.seed, report=run.report)
    save_weights(model, base.tokenizer, folder, shared_prefix=_EMBEDDINGS)
    model.load_state_dict(read_weights(folder))  # what is reported is what was saved, float16 rounding included
    metric = _reported(task.metric, measure(model, base, task, "test", plan.max_tokens))
    _finish(name, folder, (metric,), plan.student, run)
    return folder


def _build_causal(run: _Run) -> Path:
    folder, plan = run.out / "causal", run.plan.causal
    corpus = read_corpus(run.data) if run.data else hub_corpus()
    model, tokenizer = train_causal(corpus, plan, seed=run.seed, report=run.report)
    save_weights(model, tokenizer, folder)
    model.load_state_dict(read_weights(folder), strict=False)  # tied output weights are stored once
    by_token, by_word = measure_causal(model, tokenizer, corpus.test)
    metrics = (_reported("perplexity by token", by_token), _reported("perplexity by word", by_word))
    _finish("causal", folder, metrics, plan.settings, run)
    return folder


def _reported(name: str, estimate: Estimate) -> ReportedMetric:
    return ReportedMetric(name, "test", estimate.value, estimate.low, estimate.high, estimate.n)


def _finish(name: str, folder: Path, metrics: Sequence[ReportedMetric], settings: FineTuneSettings, run: _Run) -> None:
    facts = FACTS[name]
    digest = read_manifest(folder)["sha256"][WEIGHTS]
    card = model_card(facts, settings, run.seed, metrics, digest)
    describe(folder, title=facts.title, task=name, metrics=metrics, card=card)
    for metric in metrics:
        run.report(f"{name}: {metric.split} {metric.name} {metric.value:.4g} [{metric.low:.4g}, {metric.high:.4g}]")
