"""The command line: what it prints, what it refuses, and that asking for help costs nothing."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers

import app.server.serve
from compecon.checkpoints.load import load_checkpoint
from compecon.children import environment
from compecon.cli import main
from compecon.views.attention.example_texts import examples
from compecon.views.attention.traces import TraceKey, read_index, read_trace

_HEAVY = "torch", "transformers", "streamlit"
_HELP = f"""
import sys
from compecon.cli import main
sys.argv = ["compecon", "--help"]
try:
    main()
finally:
    print("loaded:", *{{{", ".join(map(repr, _HEAVY))}}} & set(sys.modules))
"""


@pytest.fixture
def compecon(monkeypatch, capsys):
    """Run a command in this process: its exit code, stdout and stderr."""
    monkeypatch.setenv("COMPECON_CHECKPOINTS", "")
    monkeypatch.setattr(sys, "path", sys.path[:])

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["compecon", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def served(monkeypatch):
    """What the dashboard's server was asked to do, instead of doing it."""
    calls = []
    monkeypatch.setattr(app.server.serve, "serve", lambda **settings: calls.append(settings))
    return calls


def test_help_loads_neither_torch_nor_streamlit():
    done = subprocess.run([sys.executable, "-c", _HELP], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_help_names_every_option_of_the_dashboard(compecon):
    code, out, _ = compecon("--help")
    assert code == 0
    assert all(option in out for option in ("--checkpoints", "--port", "--no-browser"))


@pytest.mark.parametrize("missing", ["nowhere", "a_file"])
def test_checkpoints_must_be_a_folder(compecon, served, tmp_path, missing):
    (tmp_path / "a_file").touch()
    code, _, err = compecon("--checkpoints", str(tmp_path / missing))
    assert code == 1
    assert err.startswith("compecon: --checkpoints must be a folder, got")
    assert str(tmp_path / missing) in err
    assert len(err.splitlines()) == 1
    assert not served


def test_a_port_in_use_is_one_sentence(compecon):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = compecon("--port", str(port))
    assert code == 1
    assert err.startswith(f"compecon: Port {port} is in use.")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_cannot_be_is_refused(compecon, served, port):
    code, _, err = compecon("--port", port)
    assert code == 2
    assert "--port" in err
    assert not served


@pytest.mark.parametrize("threads", ["0", "-1", "many", "2000"])
@pytest.mark.parametrize("by", ["option", "environment"])
def test_threads_that_cannot_be_are_refused_before_anything_starts(compecon, served, monkeypatch, threads, by):
    if by == "environment":
        monkeypatch.setenv("COMPECON_THREADS", threads)
    code, _, err = compecon(*(["--threads", threads] if by == "option" else []))
    assert code == 2
    assert "--threads" in err
    assert not served


@pytest.mark.usefixtures("served")
def test_threads_reach_the_processes_that_are_started(compecon, monkeypatch):
    monkeypatch.setenv("COMPECON_THREADS", "1")
    assert compecon("--threads", "3")[0] == 0
    assert environment()["COMPECON_THREADS"] == "3"


@pytest.mark.parametrize("command", [(), ("serve",)], ids=["plain", "serve"])
def test_the_dashboard_is_served_with_and_without_the_word(compecon, served, command):
    assert compecon(*command, "--port", "8509", "--no-browser")[0] == 0
    assert [(call["port"], call["open_browser"]) for call in served] == [(8509, False)]


def test_folders_of_checkpoints_come_before_those_of_the_environment(compecon, served, monkeypatch, tmp_path):
    first, second, known = (tmp_path / name for name in ("first", "second", "known"))
    for folder in (first, second):
        folder.mkdir()
    monkeypatch.setenv("COMPECON_CHECKPOINTS", str(known))
    monkeypatch.chdir(tmp_path)
    compecon("--checkpoints", "first", "--checkpoints", str(second))
    assert len(served) == 1
    assert [Path(entry) for entry in os.environ["COMPECON_CHECKPOINTS"].split(os.pathsep)] == [first, second, known]


def test_a_checkpoint_that_is_not_there_cannot_be_exported(compecon, tmp_path):
    code, _, err = compecon("export", "no-such-checkpoint", str(tmp_path / "copy"))
    assert code == 1
    assert err.startswith("compecon: There is no checkpoint 'no-such-checkpoint'")
    assert not (tmp_path / "copy").exists()


def test_an_exported_copy_stands_alone(compecon, tmp_path):
    folder = tmp_path / "copy"
    code, out, _ = compecon("export", "sentiment", str(folder))
    assert code == 0
    assert out.strip() == str(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True)
    original = load_checkpoint("sentiment", "cpu").model.state_dict()
    copied = {name: tensor.float() for name, tensor in model.state_dict().items()}
    assert copied.keys() == original.keys()
    assert all(torch.equal(copied[name], original[name]) for name in original)


def test_an_unknown_benchmark_is_one_sentence(compecon):
    code, _, err = compecon("bench", "--only", "nothing")
    assert code == 1
    assert err.startswith("compecon: ")
    assert len(err.splitlines()) == 1


@pytest.mark.slow
def test_recording_writes_the_examples_of_a_checkpoint_that_are_not_large(compecon, tmp_path):
    assert compecon("record", "--only", "similarity", "--out", str(tmp_path))[0] == 0
    asked = [TraceKey(e.checkpoint, e.text, e.pair).name for e in examples() if e.checkpoint == "similarity"]
    index = read_index(tmp_path)
    assert asked[0] in index
    assert index.keys() < set(asked)
    assert set(index.values()) == {load_checkpoint("similarity", "cpu").digest}
    assert all(read_trace(name, tmp_path) for name in index)
    assert all((tmp_path / f"{name}.bin.gz").stat().st_size <= 600_000 for name in index if name != asked[0])
