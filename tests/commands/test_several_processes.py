"""One training in two processes, as `accelerate launch` starts them: one checkpoint, written once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.support.runs import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PRICED = ("--target-macs", "0.7", "--steps", "150", "--batch-size", "4", "--precision", "float32", "--device", "cpu")
COMPECON = Path(sys.executable).with_name("compecon")


@contextmanager
def training(out: Path, *arguments: object, processes: int = 2) -> Iterator[subprocess.Popen[str]]:
    """`accelerate launch` for the CPU: it runs torch's launcher too, but only where there are GPUs."""
    several = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [*several, "--no-python", COMPECON, "train", *arguments, "--out", out]
    kept = {"COMPECON_CHECKPOINTS": "", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(list(map(str, command)), env={**os.environ, **kept}, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.terminate()


def steps_kept(stage: Path) -> int:
    """Steps of a stage that can be gone on from: all of one that ended, else those of its newest whole checkpoint."""
    if (ended := stage / "ended.json").is_file():
        return int(json.loads(ended.read_text(encoding="utf-8"))["steps"])
    whole = [path.parent.name for path in stage.glob("checkpoint-*/COMPLETE.json")]
    return max((int(name.removeprefix("checkpoint-")) for name in whole), default=0)


def test_two_processes_make_one_checkpoint_and_leave_and_go_on_together(parent, task, tmp_path):
    chosen = ("--base", parent, "--task", task, *PRICED, "--save-every", "10", "--json")
    with training(tmp_path / "whole", *chosen) as process:
        printed, said = process.communicate()
    assert process.returncode == 0, said[-3000:]
    assert json.loads(printed)["share"] <= 0.7 + 1e-6  # one object: one process speaks
    assert said.count("from parent:") == 1
    assert [path.name for path in tmp_path.glob("*whole*")] == ["whole"]

    out, kept = tmp_path / "left", tmp_path / "left.training"
    with training(out, *chosen) as process:
        until(lambda: list(kept.rglob("checkpoint-*/COMPLETE.json")), 240.0)
        process.send_signal(signal.SIGTERM)
        said = process.communicate()[1]
    assert process.returncode != 0
    assert not out.exists()
    [step] = set(re.findall(r"stopped after step (\d+) of", said))
    assert int(step) == sum(steps_kept(stage) for stage in kept.iterdir() if stage.is_dir())
    with training(out, *chosen) as process:
        said = process.communicate()[1]
    assert process.returncode == 0, said[-3000:]
    left, whole = (load_file(folder / "model.safetensors") for folder in (out, tmp_path / "whole"))
    assert left.keys() == whole.keys()
    assert all(torch.equal(left[name], whole[name]) for name in whole)
