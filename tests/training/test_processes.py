"""Two processes that share the rows are one process with both halves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import json
import os
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, models
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, Trainer

from compecon.callbacks import StepCallbacks
from compecon.training import fine_tuning
from compecon.training.training_settings import FineTuneSettings
from compecon.training.fine_tuning import fine_tune
from compecon.training.trainer import Charge
from compecon.incentives.price import DualAscent
from compecon.tasks.objectives import classification_loss

logs = []
Trainer.log = lambda self, log, *_: logs.append(dict(log))
made = fine_tuning._arguments


def arguments(*args):
    found = made(*args)
    found.logging_strategy, found.logging_steps = "steps", 5
    return found


fine_tuning._arguments = arguments
out, batch = Path(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
torch.manual_seed(0)
still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 12}
model = BertForSequenceClassification(BertConfig(**sizes, **still, max_position_embeddings=16))
core = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1}, unk_token="[UNK]"))
tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]")
ids = torch.randint(2, 12, (16, 5), generator=torch.Generator().manual_seed(0)).tolist()
rows = [{"input_ids": row, "attention_mask": [1] * 5, "labels": i % 2} for i, row in enumerate(ids)]
settings = FineTuneSettings(
    steps=5, batch_size=batch, learning_rate=1e-3, precision="float32", device="cpu", save_every=2
)
last = {}
model.classifier.register_forward_hook(lambda module, inputs, output: last.update(logits=output))
charge = Charge(DualAscent(value=1.0, budget=0.1, ramp=0), lambda mask: last["logits"].square().mean())
watch = StepCallbacks(folder=out / "training")
history = fine_tune(model, tokenizer, rows, classification_loss(), settings, charge=charge, watch=watch).history
if int(os.environ.get("RANK", 0)) == 0:
    found = {name: [getattr(record, name) for record in history] for name in ("step", "loss", "task", "cost", "price")}
    found["weight"] = model.classifier.weight.flatten().tolist()
    found["logged"] = next([log["task_loss"], log["cost"], log["price"]] for log in logs if "cost" in log)
    found["checkpoints"] = sorted(path.name for path in (out / "training").glob("checkpoint-*"))
    (out / "result.json").write_text(json.dumps(found))
"""


def run(folder: Path, processes: int, batch: int) -> dict[str, Any]:
    folder.mkdir()
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    root = Path(__file__).resolve().parents[2]
    several = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    command = [sys.executable, *several, str(script), str(folder), str(batch)]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "result.json").read_text())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_take_the_steps_of_one(tmp_path):
    one, two = run(tmp_path / "one", 1, 8), run(tmp_path / "two", 2, 4)
    assert one["step"] == two["step"] == [1, 2, 3, 4, 5]
    for name in ("task", "cost", "price", "loss"):
        assert two[name] == pytest.approx(one[name], rel=1e-4), name
    assert two["weight"] == pytest.approx(one["weight"], rel=1e-3)
    assert two["logged"] == pytest.approx(one["logged"], rel=1e-4)
    assert two["checkpoints"] == one["checkpoints"] == ["checkpoint-4", "checkpoint-5"]
