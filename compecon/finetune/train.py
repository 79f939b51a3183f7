"""One training run: a model, rows, an objective, and perhaps a teacher, a price, and a folder to resume from."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback, TrainingArguments

from compecon.errors import CheckpointError, TrainingInterruptedError
from compecon.finetune.predict import collator
from compecon.finetune.safety import Keeper, last_complete_checkpoint, restore_price
from compecon.finetune.settings import FineTuneResult, FineTuneSettings, StepRecord
from compecon.finetune.trainer import Charge, IncentiveTrainer, Lesson
from compecon.incentives.gates import NAME
from compecon.tasks.encode import Features
from compecon.tasks.objectives import Objective

Teacher = PreTrainedModel
_SETTINGS = "settings.json"


def _never(_record: object = None) -> bool:
    return False


@dataclass(frozen=True)
class Watch:
    """Who looks on while a model trains, and what they may ask.

    Attributes:
        report: Is told of each optimizer step.
        stop: Asked after each step whether to leave the training, to be resumed later.
        done: Asked after each step whether what was wanted is reached.
        folder: Where checkpoints of the training go, and come from if it was left; None for none.
        report_to: Trackers that Trainer knows, such as "tensorboard".
    """

    report: Callable[[StepRecord], None] = lambda _: None
    stop: Callable[[], bool] = _never
    done: Callable[[StepRecord], bool] = _never
    folder: Path | None = None
    report_to: tuple[str, ...] = field(default=())


def fine_tune(  # noqa: PLR0913 - a training has this many parts
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    objective: Objective,
    settings: FineTuneSettings,
    *,
    teacher: Teacher | None = None,
    charge: Charge | None = None,
    watch: Watch = Watch(),
) -> FineTuneResult:
    """Train a model in place, and leave it in evaluation mode. Frozen parameters stay as they are.

    Runs on the device that accelerate finds (several, under `accelerate launch`). With a folder in `watch` and
    `settings.save_every`, an interrupted training goes on from its last complete checkpoint when it is called again,
    on a CPU with the very numbers it would have had.

    Args:
        model: The model; parameters with `requires_grad=False` are not touched.
        tokenizer: Its tokenizer, for padding.
        rows: Encoded rows, from `compecon.tasks.encode`.
        objective: The loss.
        settings: How.
        teacher: Model whose hidden states are imitated, if `settings.hidden_weight` is above 0.
        charge: What compute costs; None for nothing.
        watch: Who looks on.

    Raises:
        FloatingPointError: If the loss is not finite or the price diverges. The weights are those before the step, and
            the last complete checkpoint stays.
        TrainingInterruptedError: If `watch.stop` said so.
        CheckpointError: If the folder holds another training.
    """
    history: list[StepRecord] = []

    def report(record: StepRecord) -> None:
        history.append(record)
        watch.report(record)

    began = time.monotonic()
    with _folder(watch, settings) as folder, _frozen_embeddings(model, settings):
        if settings.checkpointing:  # here, since versions of transformers name its argument differently
            model.gradient_checkpointing_enable()
        torch.manual_seed(settings.seed)
        trainer = IncentiveTrainer(
            lesson=Lesson(objective, settings, _placed(teacher, model) if settings.hidden_weight else None),
            charge=charge,
            report=report,
            model=model,
            args=_arguments(settings, watch, folder),
            train_dataset=rows,
            data_collator=collator(tokenizer),
            optimizers=(_optimizer(model, settings), None),
        )
        trainer.remove_callback(PrinterCallback)
        keeper = Keeper(trainer, watch.stop, watch.done)
        trainer.add_callback(keeper)
        last = last_complete_checkpoint(folder)
        if last is not None:
            restore_price(trainer, last)
        torch.manual_seed(settings.seed)
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    if settings.checkpointing:
        model.gradient_checkpointing_disable()
    model.train(False)
    if keeper.interrupted:
        raise TrainingInterruptedError(
            f"The training was left after step {trainer.state.global_step} of {trainer.state.max_steps}. "
            "Call it again with the same folder to go on."
        )
    return FineTuneResult(trainer.state.global_step, time.monotonic() - began, tuple(history))


@contextmanager
def _folder(watch: Watch, settings: FineTuneSettings) -> Iterator[Path]:
    if watch.folder is None:
        with tempfile.TemporaryDirectory() as folder:  # Trainer wants a folder even if it saves nothing
            yield Path(folder)
        return
    watch.folder.mkdir(parents=True, exist_ok=True)
    stated = json.loads(json.dumps(asdict(settings)))
    path = watch.folder / _SETTINGS
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != stated:
        raise CheckpointError(f"{watch.folder} holds a training with other settings. Choose another folder.")
    path.write_text(json.dumps(stated, indent=1), encoding="utf-8")
    yield watch.folder


@contextmanager
def _frozen_embeddings(model: PreTrainedModel, settings: FineTuneSettings) -> Iterator[None]:
    inner: Any = getattr(model.base_model, "embeddings", None) or model.get_input_embeddings()
    learnt = [part for part in inner.parameters() if settings.freeze_embeddings and part.requires_grad]
    for part in learnt:
        part.requires_grad_(False)
    try:
        yield
    finally:
        for part in learnt:
            part.requires_grad_(True)


def _placed(teacher: Teacher | None, model: PreTrainedModel) -> Teacher:
    if teacher is None:
        raise ValueError("hidden_weight is above 0 and there is no teacher. Give one, or set it to 0.")
    if teacher.config.hidden_size != model.config.hidden_size:
        raise ValueError(
            f"the teacher is {teacher.config.hidden_size} wide and the model {model.config.hidden_size}; hidden states "
            "can only be compared at one width. Set hidden_weight to 0."
        )
    return teacher.requires_grad_(False).eval()


def _arguments(settings: FineTuneSettings, watch: Watch, folder: Path) -> TrainingArguments:
    saves = watch.folder is not None and settings.save_every is not None
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        max_steps=settings.steps or -1,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulate,
        train_sampling_strategy="group_by_length",
        seed=settings.seed,
        bf16=settings.precision == "bfloat16",
        fp16=settings.precision == "float16",
        use_cpu=settings.device == "cpu" or not (torch.cuda.is_available() or torch.backends.mps.is_available()),
        use_cache=True,  # Trainer writes this into the model's config, where it would slow generation later
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


def _optimizer(model: PreTrainedModel, settings: FineTuneSettings) -> torch.optim.Optimizer:
    body = f"{model.base_model_prefix}."
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    gates: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith(NAME):
            gates.append(parameter)
            continue
        is_head = not name.startswith(body) or ".pooler." in name
        groups.setdefault((is_head, parameter.ndim > 1), []).append(parameter)
    weights: list[dict[str, Any]] = [
        {
            "params": parameters,
            "lr": settings.learning_rate * (settings.head_multiplier if is_head else 1),
            "weight_decay": settings.weight_decay if is_matrix else 0.0,
        }
        for (is_head, is_matrix), parameters in groups.items()
    ]
    # A gate's gradient can be tiny and must still move it, so that closing depends on its sign and not on its size.
    priced = [{"params": gates, "lr": settings.gate_rate, "weight_decay": 0.0, "eps": 1e-12, "gates": True}]
    return torch.optim.AdamW([*weights, *(priced if gates else [])], betas=(0.9, 0.98))
