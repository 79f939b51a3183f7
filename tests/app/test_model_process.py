"""Processes of models from the server's side: what is handed on, what a death costs, and which process is asked."""

from __future__ import annotations

import queue
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.models.latency_job import LatencyJob
from app.models.model_process import ModelProcess
from app.models.model_processes import ModelProcesses
from app.models.sweep_job import SweepJob
from compecon import children
from compecon.paths import dashboard_root
from compecon.views.attention.frames import Message, decode

WAIT_S = 60
# A process that repeats a text, letter by letter, until it is told to stop; "!" ends it, "?" keeps it waiting, "_" lets
# it say that it lives, and nothing more.
CHILD = """
import json, os, runpy, sys, time
runpy.run_path(sys.argv[1])
from app.models.wire import answer
def say(number, data):
    sys.stdout.buffer.write(answer(number, data)); sys.stdout.buffer.flush()
for line in sys.stdin:
    asked = json.loads(line)
    number = asked["id"]
    if asked["ask"] == "load":
        say(0, json.dumps({"devices": ["cpu", "cuda"]}).encode())
    elif asked["ask"] == "unload":
        say(number, b"2"); say(number, b"")
    elif asked["ask"] == "cancel":
        say(number, b"stopped"); say(number, b"")
    else:
        for letter in asked["job"]["text"]:
            if letter == "!":
                os._exit(7)
            if letter == "_":
                say(0, json.dumps({"alive": True}).encode())
            elif letter != "?":
                say(number, letter.encode())
        if "?" not in asked["job"]["text"]:
            say(number, b"")
"""


def start() -> subprocess.Popen[bytes]:
    launch = dashboard_root() / "app" / "launch.py"
    return children.start("-c", CHILD, str(launch), folder=launch.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


class Answer:
    """What comes back to one question."""

    def __init__(self) -> None:
        self.parts: queue.Queue[bytes | None] = queue.Queue()

    def next(self) -> bytes | None:
        return self.parts.get(timeout=WAIT_S)

    def rest(self) -> list[bytes]:
        return list(iter(self.next, None))

    def error(self) -> str:
        """The sentence of an answer that is an error and nothing else."""
        [data] = self.rest()
        [message] = decode(data)
        assert message.kind == "error"
        return str(message.fields["error"])


def text(words: str, device: str = "auto") -> SweepJob:
    return SweepJob("sentiment", device, words)


@pytest.fixture
def process() -> Iterator[ModelProcess]:
    made = ModelProcess(start)
    yield made
    made.close()


@pytest.fixture
def processes() -> Iterator[ModelProcesses]:
    made = ModelProcesses(lambda: ModelProcess(start))
    yield made
    made.close()


def ask(processes: ModelProcesses, job: SweepJob, client: str = "page") -> tuple[Answer, Callable[[], None]]:
    answer = Answer()
    return answer, processes.submit(job, client, answer.parts.put)


def until(condition: Callable[[], object]) -> None:
    """Wait for another thread."""
    for _ in range(WAIT_S * 100):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


def test_a_job_keeps_its_values_on_the_way() -> None:
    job = SweepJob("a", "cpu", "é \N{GRINNING FACE}", budgets=(3, 1), first=2, size=0.3)
    assert SweepJob.of(job.fields()) == job
    timed = LatencyJob("a", "cpu", "é", "b")
    assert LatencyJob.of(timed.fields()) == timed


def test_answers_of_several_questions_reach_those_who_asked(processes: ModelProcesses) -> None:
    answers = {words: ask(processes, text(words), words)[0] for words in ("abc", "d", "efgh")}
    assert {words: b"".join(answer.rest()).decode() for words, answer in answers.items()} == {w: w for w in answers}


def test_a_newer_question_of_a_page_drops_its_older_one_and_no_other(processes: ModelProcesses) -> None:
    older, _ = ask(processes, text("a?"), "one")
    other, drop = ask(processes, text("b?"), "other")
    newer, _ = ask(processes, text("c"), "one")
    assert older.rest() == [b"a", b"stopped"]
    assert newer.rest() == [b"c"]
    assert other.next() == b"b"
    drop()
    assert other.rest() == [b"stopped"]


def test_a_death_costs_a_sentence_to_each_who_waited_and_nothing_else(processes: ModelProcesses) -> None:
    waiting, _ = ask(processes, text("?"), "one")
    fatal, _ = ask(processes, text("!"), "other")
    for answer in (waiting, fatal):
        assert "code 7" in answer.error()
    assert ask(processes, text("again"))[0].rest() == [b"a", b"g", b"a", b"i", b"n"]


def test_it_starts_again_by_itself_if_it_had_come_to_life(process: ModelProcess) -> None:
    process.begin("sentiment")
    until(lambda: process.is_ready)
    first = process.pid
    assert first is not None
    psutil.Process(first).kill()
    until(lambda: process.pid not in (None, first) and process.is_ready)
    assert process.devices == ("cpu", "cuda")


def test_one_that_falls_silent_is_ended_and_started_again(
    processes: ModelProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.models.pulse.SILENT_S", 0.2)
    monkeypatch.setattr("app.models.model_process.BEAT_S", 0.01)
    silent, _ = ask(processes, text("_?"), "one")
    assert "stuck" in silent.error()
    assert ask(processes, text("a"), "other")[0].rest() == [b"a"]


def test_one_that_never_comes_to_life_is_not_started_for_ever() -> None:
    starts = list[int]()

    def fail() -> subprocess.Popen[bytes]:
        starts.append(1)
        return children.start("-c", "raise SystemExit(3)", folder=Path.cwd(), stdin=-1, stdout=-1)

    process, answer = ModelProcess(fail), Answer()
    process.ask("sweep", answer.parts.put, job=text("a").fields())
    assert "code 3" in answer.error()
    assert starts == [1]


def test_one_that_cannot_be_started_is_a_sentence() -> None:
    def refuse() -> subprocess.Popen[bytes]:
        raise OSError("no more processes")

    answer = Answer()
    ModelProcess(refuse).ask("sweep", answer.parts.put)
    assert "cannot be started" in answer.error()


def test_a_closed_one_is_not_started_again(process: ModelProcess) -> None:
    process.begin("sentiment")
    until(lambda: process.is_ready)
    process.close()
    assert process.pid is None  # buried, its pipes closed
    answer = Answer()
    process.ask("sweep", answer.parts.put)
    answer.error()
    assert process.pid is None


def test_each_device_has_a_process_and_the_best_one_only_one(processes: ModelProcesses) -> None:
    processes.warm_up("sentiment")
    until(lambda: processes.is_ready)
    for device in ("auto", "cpu", "mps", "cuda", "cuda"):  # there is no mps, which the first one will say
        ask(processes, text("a", device), device)[0].rest()
    assert set(processes._processes) == {"auto", "cuda"}
    assert len({one.pid for one in processes._processes.values()}) == 2
    assert processes.unload() == 4


def test_unloading_starts_nothing(processes: ModelProcesses) -> None:
    assert processes.unload() == 0
    assert all(one.pid is None for one in processes._processes.values())


@pytest.mark.fault
@pytest.mark.timeout(600)
def test_thirty_deaths_at_any_moment_of_loads_and_sweeps_lose_no_question(shared_models: ModelProcesses) -> None:
    rng, unanswered = random.Random(0), list[str]()  # noqa: S311 - moments, not secrets
    for i in range(30):
        name = rng.choice(["sentiment", "similarity"])
        job = SweepJob(
            name, "auto", f"Not bad at all, {i} times. " * rng.randint(1, 9), "and so on" * (name != "sentiment")
        )
        answer, _ = ask(shared_models, job, f"page {i}")
        process = shared_models._processes["auto"]
        threading.Event().wait(rng.choice([0.0, 0.05, 0.3, 1.0, 4.0]))
        if (pid := process.pid) is not None:
            psutil.Process(pid).kill()
        last = answer.rest()[-1]
        kind = next(decode(last)).kind
        if kind not in ("done", "error"):
            unanswered.append(kind)
    assert unanswered == []
    assert messages(ask(shared_models, SweepJob("sentiment", "auto", "Alive."), "last")[0])[-1].kind == "done"


HANGING = """
import runpy, sys
runpy.run_path(sys.argv[1])
from app.models import engine, watchdog
from compecon.views.attention import attention_stream as module
import threading
stream = module.attention_stream
def hanging(checkpoint, encoded, request, *, wanted):
    words = "".join(encoded.tokens).replace("##", "")
    if "hang" in words:
        threading.Event().wait()
    for place, message in enumerate(stream(checkpoint, encoded, request, wanted=wanted)):
        yield message
        if "wait" in words:
            while place and wanted():
                threading.Event().wait(0.01)
module.attention_stream = hanging
watchdog._PASS_S = 2.0
from app.models.model_child import main
main()
"""


@pytest.mark.slow
def test_a_pass_that_hangs_costs_its_reader_a_sentence_and_others_nothing() -> None:
    launch = dashboard_root() / "app" / "launch.py"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = ModelProcesses(
        lambda: ModelProcess(lambda: children.start("-c", HANGING, str(launch), folder=launch.parent, **pipes))
    )
    try:
        processes.warm_up("sentiment")
        until(lambda: processes.is_ready)
        first = processes._processes["auto"].pid
        waiting, _ = ask(processes, text("please wait"), "one")
        assert next(decode(waiting.next() or b"")).kind == "open"
        hanging, _ = ask(processes, text("please hang"), "other")
        told = messages(hanging)[-1]
        assert (told.kind, told.fields.get("again", False)) == ("error", False)  # it would only hang again
        lost = messages(waiting)[-1]
        assert (lost.kind, lost.fields["again"]) == ("error", True)
        assert messages(ask(processes, text("Fine."), "third")[0])[-1].kind == "done"
        assert processes._processes["auto"].pid != first
    finally:
        processes.close()


def messages(answer: Answer) -> list[Message]:
    return list(decode(b"".join(answer.rest())))
