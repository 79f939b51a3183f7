"""One training in two processes, as `accelerate launch` starts them: one checkpoint, written once."""

from __future__ import annotations

import json
import os
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

PRICED = ("--target-macs", "0.7", "--epochs", "4", "--batch-size", "4", "--precision", "float32", "--device", "cpu")
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


def test_two_processes_make_one_checkpoint(parent, task, tmp_path):
    out = tmp_path / "small"
    with training(out, "--base", parent, "--task", task, *PRICED, "--save-every", "3", "--json") as process:
        printed, said = process.communicate()
    assert process.returncode == 0, said[-3000:]
    told = json.loads(printed)  # one object: one process speaks
    assert told["share"] <= 0.7 + 1e-6
    assert said.count("from parent:") == 1
    assert [path.name for path in tmp_path.glob("*small*")] == ["small"]
    assert all(tensor.isfinite().all() for tensor in load_file(out / "model.safetensors").values())


def test_two_processes_that_are_asked_to_leave_do_so_together_and_go_on(parent, task, tmp_path):
    chosen = ("--base", parent, "--task", task, *PRICED, "--save-every", "100")
    with training(tmp_path / "whole", *chosen) as process:
        said = process.communicate()[1]
    assert process.returncode == 0, said[-3000:]
    out, kept = tmp_path / "left", tmp_path / "left.training"
    with training(out, *chosen) as process:
        until(lambda: list(kept.rglob("settings.json")), 120.0)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode != 0
    assert not out.exists()
    with training(out, *chosen) as process:
        said = process.communicate()[1]
    assert process.returncode == 0, said[-3000:]
    left, whole = load_file(out / "model.safetensors"), load_file(tmp_path / "whole" / "model.safetensors")
    assert left.keys() == whole.keys()
    assert all(torch.equal(left[name], whole[name]) for name in whole)
