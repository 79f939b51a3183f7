"""One training run: a model, rows, an objective, and perhaps a teacher, a price, and a folder to resume from."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME

from compecon.callbacks import StepCallbacks, StepRecord
from compecon.compression.last_layer import at_one_position
from compecon.compression.modes import evaluating
from compecon.errors import TrainingInterruptedError
from compecon.evaluation.as_given import given_back
from compecon.evaluation.predict_rows import collator
from compecon.files.complete import last_complete_checkpoint
from compecon.tasks.encode_rows import Features
from compecon.tasks.objectives import Objective
from compecon.training.elastic_steps import ElasticSteps
from compecon.training.parameter_groups import optimizer_of
from compecon.training.phases import claim
from compecon.training.processes import is_first
from compecon.training.safe_checkpoints import Keeper, restore
from compecon.training.trainer import Charge, IncentiveTrainer, Lesson
from compecon.training.training_rows import require_learnable
from compecon.training.training_settings import FineTuneResult, FineTuneSettings

Teacher = PreTrainedModel
_SETTINGS = "settings.json"


def fine_tune(  # noqa: PLR0913 - a training has this many parts
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    objective: Objective,
    settings: FineTuneSettings,
    *,
    teacher: Teacher | None = None,
    charge: Charge | None = None,
    sizes: ElasticSteps | None = None,
    watch: StepCallbacks = StepCallbacks(),  # noqa: B008 - frozen
) -> FineTuneResult:
    """Train the weights of a model in place; all else of it comes back as it was given.

    That is its `forward` (under accelerate's autocast only while it trains), precision of the weights, mode, which
    parameters learn, attention implementation and config. Gradients are dropped. The teacher gets its mode back too.

    The last layer of a classifier is computed at the one position that its head reads, unless hidden states, budgets or
    a cost need it whole; gates on it act there.

    Runs on the one device that accelerate finds (several, under `accelerate launch`: a process each). With a folder in
    `watch` and `settings.save_every`, an interrupted training goes on from its last complete checkpoint when it is
    called again, on a CPU with the very numbers it would have had.

    Args:
        model: The model; parameters with `requires_grad=False` are not touched.
        tokenizer: Its tokenizer, for padding.
        rows: Encoded rows, from `compecon.tasks.encode_rows`.
        objective: The loss.
        settings: How.
        teacher: Model whose hidden states are imitated, if `settings.hidden_weight` is above 0.
        charge: What compute costs; None for nothing.
        sizes: Sizes of the model that are trained together; None to train the whole of it.
        watch: Callbacks of each step.

    Returns:
        What the training took, and each step of it.

    Raises:
        ValueError: If the model cannot learn from these rows: there are none, or their labels do not fit its head.
        FloatingPointError: If the loss is not finite or the price diverges. The weights are those before the step, and
            the last complete checkpoint stays.
        TrainingInterruptedError: If `watch.stop` asked to stop.
        CheckpointError: If the folder holds another training.
    """
    history: list[StepRecord] = []

    def report(record: StepRecord) -> None:
        history.append(record)
        watch.report(record)

    began = time.monotonic()
    require_precision(settings)
    require_learnable(model, rows)
    taught = _fitting(teacher, model) if settings.hidden_weight else None
    with (
        _folder(watch, settings) as folder,
        given_back(model),
        at_one_position(model),
        nullcontext() if taught is None else evaluating(taught),
    ):
        _prepare(model, settings)
        model.train()  # Trainer does so within the first step, after that step's budget has been drawn
        torch.manual_seed(settings.seed)
        trainer = IncentiveTrainer(
            lesson=Lesson(objective, settings, taught, watch.before),
            charge=charge,
            sizes=sizes,
            report=report,
            model=model,
            args=_arguments(settings, watch, folder),
            train_dataset=rows,
            data_collator=collator(tokenizer),
            optimizers=(optimizer_of(model, settings), None),
        )
        trainer.remove_callback(PrinterCallback)
        keeper = Keeper(trainer, watch)
        trainer.add_callback(keeper)
        torch.manual_seed(settings.seed)
        _run(trainer, folder)
    state = trainer.state
    if keeper.interrupted:
        raise TrainingInterruptedError(
            f"The training was stopped after step {watch.place(state.global_step, state.max_steps)}. "
            + ("Call it again with the same folder to go on." if keeper.saves else "Nothing of it was kept.")
        )
    return FineTuneResult(state.global_step, time.monotonic() - began, tuple(history))


def require_precision(settings: FineTuneSettings) -> None:
    """Make sure that this machine computes in a precision; float16 gradients need CUDA's scaler (ValueError)."""
    if settings.precision == "float16" and (settings.device == "cpu" or not torch.cuda.is_available()):
        raise ValueError("precision float16 needs CUDA, which is not available here. Choose bfloat16 or float32.")


def _run(trainer: IncentiveTrainer, folder: Path) -> None:
    """Train from the last complete checkpoint on, if there is one. Trainer would take one step too many at the end."""
    with trainer.accelerator.main_process_first():  # so that one process alone sets broken ones aside
        last = last_complete_checkpoint(folder)
    if last is None:
        trainer.train()
        return
    restore(trainer, last)
    state = TrainerState.load_from_json(str(last / TRAINER_STATE_NAME))
    if state.global_step < state.max_steps:
        trainer.train(resume_from_checkpoint=str(last))
    else:
        trainer._load_from_checkpoint(str(last))
        trainer.state = state


@contextmanager
def _folder(watch: StepCallbacks, settings: FineTuneSettings) -> Iterator[Path]:
    if watch.folder is None:
        with tempfile.TemporaryDirectory() as folder:  # Trainer wants a folder even if it saves nothing
            yield Path(folder)
        return
    if not is_first():  # the first process looks at the folder for all
        yield watch.folder
        return
    watch.folder.mkdir(parents=True, exist_ok=True)
    claim(watch.folder / _SETTINGS, asdict(settings))
    yield watch.folder


def _prepare(model: PreTrainedModel, settings: FineTuneSettings) -> None:
    """Freeze embeddings and recompute activations, if the settings say so; `given_back` undoes both."""
    if settings.freeze_embeddings:
        inner: Any = getattr(model.base_model, "embeddings", None) or model.get_input_embeddings()
        inner.requires_grad_(False)
    if settings.checkpointing:  # versions of transformers call it by two names, and Trainer's argument changed too
        new, old = (f"{kind}_checkpointing_enable" for kind in ("activation", "gradient"))
        getattr(model, new if hasattr(model, new) else old)()


def _fitting(teacher: Teacher | None, model: PreTrainedModel) -> Teacher:
    if teacher is None:
        raise ValueError("hidden_weight is above 0, but there is no teacher. Pass one, or set hidden_weight to 0.")
    taught, own = teacher.config, model.config
    if taught.hidden_size != own.hidden_size or taught.num_hidden_layers % own.num_hidden_layers:
        raise ValueError(
            f"the teacher has {taught.num_hidden_layers} layers of width {taught.hidden_size} and the model "
            f"{own.num_hidden_layers} of {own.hidden_size}; hidden states are compared at one width, and at a whole "
            "number of the teacher's layers for each. Set hidden_weight to 0, or choose another teacher."
        )
    return teacher


def _arguments(settings: FineTuneSettings, watch: StepCallbacks, folder: Path) -> TrainingArguments:
    saves = watch.folder is not None and settings.save_every is not None
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        max_steps=settings.steps or -1,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulate,
        seed=settings.seed,
        bf16=settings.precision == "bfloat16",
        fp16=settings.precision == "float16",
        use_cpu=settings.device == "cpu" or not (torch.cuda.is_available() or torch.backends.mps.is_available()),
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        save_strategy="steps" if saves else "no",
        save_steps=settings.save_every or 500,
        save_total_limit=None,  # Trainer would delete by the clock; see safety.py
        logging_strategy="steps" if watch.report_to else "no",
        logging_steps=10,
        logging_nan_inf_filter=False,  # it would hide what went wrong
        disable_tqdm=True,
        report_to=list(watch.report_to) or "none",
    )
    # Trainer would spread a process over all its GPUs (nn.DataParallel): replicas in threads of their own, out of reach
    # of budgets, and gates whose costs nobody reads.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments
