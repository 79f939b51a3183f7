"""Children that die, hang, grow, lie or are starved: each is a sentence, and the next question is answered."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from compecon.children.limited import LimitedProcess, Limits
from compecon.children.messages import Message, receive
from compecon.errors import ChildError

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SERVICE = """
import os, sys, time
import numpy as np
from compecon.children.limited import Limits
from compecon.children.messages import Message
from compecon.children.serve import serve
{before}
def answer(question):
    body = dict(question.body)
    exec(body.get("do", ""), {{**globals(), "body": body}})
    return Message({{"echo": body, "pid": os.getpid()}}, question.arrays)
serve(answer, {limits!r})
"""
LIMITS = Limits(cpu_s=0.5, memory_bytes=256 << 20, answer_bytes=1 << 20, wall_s=60.0)
Make = Callable[..., LimitedProcess]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[LimitedProcess] = []

    def process(limits: Limits = LIMITS, theirs: Limits | None = None, before: str = "") -> LimitedProcess:
        code = SERVICE.format(limits=theirs or limits, before=textwrap.dedent(before))

        def start() -> subprocess.Popen[bytes]:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes)

        made.append(LimitedProcess(start, limits, Message({"hello": 1})))
        return made[-1]

    yield process
    for each in made:
        each.close()


def do(code: str) -> Message:
    return Message({"do": code})


def test_questions_and_arrays_come_back_whole_and_from_one_process(make: Make) -> None:
    process = make()
    arrays = {"a": np.arange(6, dtype=np.int32).reshape(2, 3), "b": np.zeros((0, 4), np.float16)}
    answers = [process.ask(Message({"n": n, "text": "é \ud83d\ude00 \x00"}, arrays)) for n in range(3)]
    assert [answer.body["echo"]["n"] for answer in answers] == [0, 1, 2]
    assert len({answer.body["pid"] for answer in answers}) == 1
    for name, array in arrays.items():
        assert answers[0].arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(answers[0].arrays[name], array)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("while True: pass", "processor time"),
        ("os.abort()", "memory"),
        ("os._exit(7)", "code 7"),
        ("raise ValueError('no such thing\\nand more')", "no such thing"),
        ("raise ValueError()", "ValueError"),
        ("bytearray(512 << 20)", "memory"),
        ("raise MemoryError", "memory"),
        ("body['x'] = 'y' * (2 << 20)", "bytes"),
    ],
)
def test_what_goes_wrong_is_said_and_the_next_question_is_answered(make: Make, code: str, why: str) -> None:
    if "512" in code and not psutil.LINUX:
        pytest.skip("only Linux limits memory before it is used")
    process = make()
    with pytest.raises(ChildError, match=why) as refusal:
        process.ask(do(code))
    assert "\n" not in str(refusal.value)
    assert process.ask(Message({"n": 1})).body["echo"] == {"n": 1}


def test_memory_is_watched_where_the_system_does_not_limit_it(make: Make) -> None:
    process = make(replace(LIMITS, cpu_s=20.0), theirs=replace(LIMITS, memory_bytes=4 << 30))
    with pytest.raises(ChildError, match="memory"):
        process.ask(do("x = np.ones(400 << 17); time.sleep(60)"))


def test_who_waits_for_the_processor_is_not_to_blame(make: Make) -> None:
    """A busy machine gives a process no time; so does sleep."""
    process = make(replace(LIMITS, cpu_s=0.2), before="time.sleep(0.3); sum(range(30_000_000))")
    assert process.ask(do("time.sleep(1.0)")).body["pid"]


def test_a_machine_that_is_too_busy_is_named_as_the_cause(make: Make) -> None:
    process = make()
    process.ask(Message({}))
    process._limits = replace(LIMITS, wall_s=0.3)
    with pytest.raises(ChildError, match="busy"):
        process.ask(do("time.sleep(60)"))


def test_time_is_counted_for_each_answer(make: Make) -> None:
    process = make(replace(LIMITS, cpu_s=0.6))
    pids = {process.ask(do("t = time.process_time()\nwhile time.process_time() < t + 0.2: pass")).body["pid"]
            for _ in range(6)}  # fmt: skip
    assert len(pids) == 1


def test_what_is_printed_is_no_answer(make: Make) -> None:
    process = make(before="print('loading')")
    process_answer = make().ask(do("print('hello'); os.write(1, b'garbage'); sys.stdout.flush()"))
    assert process_answer.body["echo"]
    with pytest.raises(ChildError):  # before the channel is taken away, it is no message
        process.ask(Message({}))


def test_one_question_at_a_time(make: Make) -> None:
    process, found = make(), []
    threads = [
        threading.Thread(target=lambda n=n: found.append((n, process.ask(Message({"n": n})).body["echo"]["n"])))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [(n, n) for n in range(8)]


def test_a_process_ends_with_whoever_asked_it(make: Make) -> None:
    ended = []
    process = LimitedProcess(make()._start, LIMITS, afterwards=lambda: ended.append(True))
    child = psutil.Process(process.ask(Message({})).body["pid"])
    del process
    assert ended
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_child_whose_parent_is_gone_ends(make: Make) -> None:
    child = make()._start()
    assert child.stdin is not None
    assert child.stdout is not None
    with child:
        receive(child.stdout, 1000)
        child.stdin.close()
        assert child.wait(30) == 0
