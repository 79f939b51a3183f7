"""Training: `transformers.Trainer` with a price on compute, safe checkpoints, and the phases it has."""

from compecon.finetune.predict import embed, predict
from compecon.finetune.settings import FineTuneResult, FineTuneSettings, StepRecord
from compecon.finetune.train import Teacher, fine_tune

__all__ = ["FineTuneResult", "FineTuneSettings", "StepRecord", "Teacher", "embed", "fine_tune", "predict"]
