"""The engine: what is dropped, what is remembered, and the sentence for everything that goes wrong."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.models import engine as module
from app.models import prepare
from app.models.engine import Engine
from app.models.latency_job import LatencyJob
from app.models.prepare import AnyJob
from app.models.sweep_job import SweepJob
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.compression.elastic.sizes_offered import sizes_offered
from compecon.compression.families import unit_counts
from compecon.errors import CheckpointError, CompeconError, UnwantedError
from compecon.views.attention.frames import Message, decode
from tests.support.elastic import made_elastic

WAIT_S = 60
PLACES = 3  # jobs that may run at once
JOB = SweepJob("sentiment", "cpu", "Not bad at all.")


@pytest.fixture(scope="module")
def sentiment() -> Checkpoint:
    return load_checkpoint("sentiment", "cpu")


@pytest.fixture
def engine(sentiment: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine whose checkpoints all are the same one, already loaded."""
    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", lambda _name, _device, **_: sentiment)
    return Engine()


@pytest.fixture
def elastic(sentiment: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """As `engine`, with an elastic checkpoint."""
    made = made_elastic(sentiment)
    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", lambda _name, _device, **_: made)
    return Engine()


class Listener:
    """One reader of one job's messages."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self._queue: queue.Queue[bytes | None] = queue.Queue()

    def send(self, data: bytes | None) -> None:
        self._queue.put(data)

    def next(self) -> Message | None:
        """The next message, or None at the end."""
        data = self._queue.get(timeout=WAIT_S)
        return None if data is None else next(decode(data))

    def rest(self) -> list[Message]:
        return list(iter(self.next, None))


def ask(engine: Engine, job: AnyJob) -> Listener:
    listener = Listener()
    engine.submit(job, listener.send, lambda: not listener.gone.is_set())
    return listener


class Steps:
    """A stream that takes a step only when it is told to, in place of the model."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.n_waiting = 0

    def __call__(self, _c: object, _e: object, _r: object, *, wanted: Callable[[], bool]) -> Iterator[Message]:
        yield Message("open")
        for k in range(3):
            self.n_waiting += 1
            assert self.go.acquire(timeout=WAIT_S)
            if not wanted():
                return
            yield Message("frame", {"k": k})
        yield Message("done")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    made = Steps()
    monkeypatch.setattr("compecon.views.attention.attention_stream.attention_stream", made)
    return made


def kinds(messages: list[Message]) -> list[str]:
    return [m.kind for m in messages]


# ---- questions and their answers


def test_a_job_streams_while_it_is_computed(engine: Engine, steps: Steps) -> None:
    listener = ask(engine, JOB)
    assert listener.next().kind == "open"  # type: ignore[union-attr]
    steps.go.release()
    assert listener.next().fields == {"k": 0}  # type: ignore[union-attr]
    steps.go.release(2)
    assert kinds(listener.rest()) == ["frame", "frame", "done"]


def test_a_page_that_is_closed_stops_its_job(engine: Engine, steps: Steps) -> None:
    listener = ask(engine, JOB)
    listener.next()
    listener.gone.set()
    steps.go.release()
    assert listener.rest() == []


def test_a_job_dropped_while_it_waits_never_starts(engine: Engine, steps: Steps) -> None:
    busy = [ask(engine, SweepJob("sentiment", "cpu", str(i))) for i in range(PLACES)]
    for listener in busy:
        listener.next()
    while not (steps.n_waiting == len(engine._turns._running) == PLACES):  # each is in its second step
        threading.Event().wait(0.001)
    waiting = ask(engine, JOB)
    message = waiting.next()
    assert message is not None
    assert (message.kind, message.fields) == ("waiting", {"ahead": PLACES})
    waiting.gone.set()
    steps.go.release(3 * PLACES)
    assert [kinds(listener.rest())[-1] for listener in busy] == ["done"] * PLACES
    assert waiting.rest() == []


def test_a_loaded_model_answers_while_another_one_is_being_loaded(
    sentiment: Checkpoint, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def load(name: str, _device: str, **_: object) -> Checkpoint:
        if name == "slow":
            begun.set()
            assert go_on.wait(WAIT_S)
        return sentiment

    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", load)
    engine = Engine()
    engine.load("sentiment", "cpu")
    slow = ask(engine, SweepJob("slow", "cpu", "a"))
    assert begun.wait(WAIT_S)
    steps.go.release(6)
    assert kinds(ask(engine, JOB).rest())[-1] == "done"
    go_on.set()
    assert kinds(slow.rest())[-1] == "done"


class SlowLoads:
    """Loads the checkpoint "slow" until it is told to end or nobody wants it; all others at once."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint, self.begun, self.end = checkpoint, threading.Event(), threading.Event()
        self.left: list[str] = []

    def __call__(self, name: str, _device: str, *, wanted: Callable[[], bool]) -> Checkpoint:
        self.begun.set()
        while name == "slow" and not self.end.wait(0.001):
            if not wanted():
                self.left.append(name)
                raise UnwantedError("Nobody waits.")
        return self.checkpoint


@pytest.fixture
def slow(sentiment: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> SlowLoads:
    made = SlowLoads(sentiment)
    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", made)
    return made


def test_another_checkpoint_does_not_wait_for_a_load_that_nobody_wants_any_more(slow: SlowLoads, steps: Steps) -> None:
    engine = Engine()
    first = ask(engine, SweepJob("slow", "cpu", "a"))
    assert slow.begun.wait(WAIT_S)
    second = ask(engine, SweepJob("other", "cpu", "a"))
    first.gone.set()
    steps.go.release(3)
    assert kinds(second.rest())[-1] == "done"
    assert (first.rest(), slow.left) == ([], ["slow"])


def test_a_load_goes_on_as_long_as_another_page_waits_for_it(slow: SlowLoads, steps: Steps) -> None:
    engine = Engine()
    first, second = (ask(engine, SweepJob("slow", "cpu", text)) for text in "ab")
    assert slow.begun.wait(WAIT_S)
    while len(engine._models._asking) < 2:
        threading.Event().wait(0.001)
    first.gone.set()
    slow.end.set()
    steps.go.release(3)
    assert kinds(second.rest())[-1] == "done"
    assert (kinds(first.rest()), slow.left) == ([], [])


def test_a_load_that_was_left_drops_no_other_model(slow: SlowLoads, sentiment: Checkpoint) -> None:
    engine = Engine()
    for name in ("one", "two", "three"):
        engine.load(name, "cpu")
    with pytest.raises(UnwantedError):
        engine.load("slow", "cpu", lambda: False)
    assert [engine._models.get((name, "cpu")) for name in ("one", "two", "three")] == 3 * [sentiment]
    assert slow.left == []  # it was not begun


def test_a_pass_that_never_ends_is_noticed_and_told_to_its_reader_alone(engine: Engine, steps: Steps) -> None:
    clock = [0.0]
    engine.watchdog.clock = lambda: clock[0]
    stuck, other = ask(engine, JOB), ask(engine, SweepJob("sentiment", "cpu", "Another one."))
    for listener in (stuck, other):
        listener.next()
    while steps.n_waiting < 2:  # both are in a pass
        threading.Event().wait(0.001)
    assert not engine.watchdog.bites()
    clock[0] = 50.0  # less than a pass may take, however small the model
    assert not engine.watchdog.bites()
    steps.go.release()  # one of the two goes on
    while steps.n_waiting < 3:
        threading.Event().wait(0.001)
    clock[0] = 100.0  # the other's pass has taken longer than it can
    assert engine.watchdog.bites()
    told = [each for each in (stuck, other) if list(each._queue.queue)[-1:] == [None]]
    assert len(told) == 1
    assert [message.kind for message in told[0].rest()][-1] == "error"
    steps.go.release(6)


# ---- what is remembered


def test_a_finished_job_is_remembered_whole(engine: Engine, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.go.release(3)
    first = kinds(ask(engine, JOB).rest())
    monkeypatch.setattr("compecon.views.attention.attention_stream.attention_stream", None)
    assert kinds(ask(engine, SweepJob(**vars(JOB))).rest()) == first


def test_an_unfinished_job_is_not_remembered(engine: Engine, steps: Steps) -> None:
    listener = ask(engine, JOB)
    listener.next()
    listener.gone.set()
    steps.go.release()
    assert listener.rest() == []
    steps.go.release(3)
    assert kinds(ask(engine, SweepJob(**vars(JOB))).rest()) == ["open", "frame", "frame", "frame", "done"]


@pytest.mark.parametrize(
    "change",
    [
        {"text": "b"},
        {"pair": "b"},
        {"policy": "random"},
        {"layer": 1},
        {"budgets": (2,)},
        {"device": "auto"},
        {"size": 0.5},
    ],
)
def test_another_question_is_computed_anew(elastic: Engine, steps: Steps, change: dict[str, Any]) -> None:
    steps.go.release(3)
    ask(elastic, JOB).rest()
    listener = ask(elastic, SweepJob(**{**vars(JOB), **change}))
    assert listener.next().kind == "open"  # type: ignore[union-attr]
    steps.go.release(3)
    assert kinds(listener.rest())[-1] == "done"


def test_memory_for_results_is_bounded(engine: Engine, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_BYTES", 600)
    steps.go.release(3 * 20)
    for i in range(20):
        ask(engine, SweepJob("sentiment", "cpu", str(i))).rest()
    assert 0 < sum(len(part) for parts in engine._results.values() for part in parts) <= 600


@pytest.mark.parametrize(
    ("weights", "asked", "loaded"),
    [
        (10**7, "abcabcdabcd", "abcdabcd"),  # three small ones stay, the latest used
        (10**9, "abacab", "abcb"),  # of large ones two
    ],
)
def test_the_models_used_last_stay_in_memory(
    monkeypatch: pytest.MonkeyPatch, weights: int, asked: str, loaded: str
) -> None:
    calls: list[str] = []

    def load(name: str, _device: str, **_: object) -> Any:
        calls.append(name)
        return SimpleNamespace(name=name, preflight=SimpleNamespace(parameters=weights))

    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", load)
    engine = Engine()
    assert "".join(engine.load(name, "cpu").name for name in asked) == asked
    assert "".join(calls) == loaded


def test_the_same_checkpoint_on_another_device_is_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    about = SimpleNamespace(parameters=1)
    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", lambda *_, **__: SimpleNamespace(preflight=about))
    engine = Engine()
    assert engine.load("a", "cpu") is not engine.load("a", "auto")


def test_unloading_forgets_models_and_results(engine: Engine, steps: Steps) -> None:
    steps.go.release(3)
    ask(engine, JOB).rest()
    assert (engine.unload(), engine.unload()) == (1, 0)
    listener = ask(engine, SweepJob(**vars(JOB)))
    listener.next()
    steps.go.release(3)
    assert kinds(listener.rest())[-1] == "done"  # computed again


# ---- sizes


def test_each_size_is_computed_once_and_remembered_as_itself(elastic: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = {size: replace(JOB, budgets=(2,), size=size) for size in (None, 0.6, 0.4)}
    first = {size: ask(elastic, job).rest() for size, job in jobs.items()}
    removed = [len(messages[0].fields["removed"]) for messages in first.values()]
    assert 0 == removed[0] < removed[1] < removed[2]
    assert [messages[0].fields["size"] for messages in first.values()] == [1.0, 0.6, 0.4]
    monkeypatch.setattr("compecon.views.attention.attention_stream.attention_stream", None)
    for size, job in jobs.items():
        assert ask(elastic, job).next().fields == first[size][0].fields  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [0.1, 1.5, 0.0, float("nan")], ids=str)
def test_a_size_that_there_is_not_gets_one_sentence(elastic: Engine, size: float) -> None:
    [message] = ask(elastic, replace(JOB, size=size)).rest()
    assert message.kind == "error"
    assert "from 0.4" in message.fields["error"]


def test_a_size_of_a_checkpoint_that_has_one_gets_one_sentence(engine: Engine) -> None:
    [message] = ask(engine, replace(JOB, size=0.5)).rest()
    assert message.kind == "error"
    assert "single size" in message.fields["error"]


def test_memory_and_time_of_a_size_are_those_of_its_own_model(
    elastic: Engine, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs, weights = list[tuple[int, ...]](), list[int]()
    monkeypatch.setattr(prepare, "peak_bytes", lambda *_, kept, **__: needs.append(kept) or 1)
    monkeypatch.setattr(prepare, "pass_seconds", lambda number, *_: weights.append(number) or 60.0)
    steps.go.release(6)
    for size in (None, 0.4):
        ask(elastic, replace(JOB, size=size)).rest()
    own = elastic.load(JOB.checkpoint, JOB.device).at(0.4)
    assert needs[1] == tuple(heads for heads, _ in unit_counts(own.model))
    assert weights[1] == own.model.num_parameters() < weights[0]


def test_a_text_is_timed_at_every_size_by_the_same_engine_and_never_from_memory(elastic: Engine) -> None:
    made = elastic.load(JOB.checkpoint, JOB.device).elastic
    assert made is not None
    sizes = list(sizes_offered(made.prices))
    job = LatencyJob(JOB.checkpoint, JOB.device, JOB.text)
    for _ in range(2):
        messages = ask(elastic, job).rest()
        assert {message.kind for message in messages} == {"latency"}
        assert [message.fields["size"] for message in messages] == sizes * 2
    assert not elastic._results


def test_a_text_does_not_wait_while_another_is_timed(
    elastic: Engine, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "compecon.views.attention.size_times.size_times", lambda c, e, wanted: steps(c, e, 0, wanted=wanted)
    )
    timed = ask(elastic, LatencyJob(JOB.checkpoint, JOB.device, JOB.text))
    timed.next()
    while steps.n_waiting < 1:  # it is in its turn
        threading.Event().wait(0.001)
    text = ask(elastic, JOB)
    assert text.next().kind == "open"  # type: ignore[union-attr]
    steps.go.release(6)
    assert kinds(text.rest())[-1] == kinds(timed.rest())[-1] == "done"


def test_a_measurement_that_nobody_reads_ends(elastic: Engine) -> None:
    listener = ask(elastic, LatencyJob(JOB.checkpoint, JOB.device, JOB.text))
    listener.next()
    listener.gone.set()
    assert len(listener.rest()) <= 1  # the one that was being measured


def test_times_of_a_checkpoint_that_has_one_size_get_one_sentence(engine: Engine) -> None:
    [message] = ask(engine, LatencyJob(JOB.checkpoint, JOB.device, JOB.text)).rest()
    assert message.kind == "error"
    assert "single size" in message.fields["error"]


# ---- what goes wrong


def fails_with(engine: Engine, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> str:
    def broken(*_: object, **__: object) -> Iterator[Message]:
        raise error
        yield

    monkeypatch.setattr("compecon.views.attention.attention_stream.attention_stream", broken)
    [message] = ask(engine, JOB).rest()
    assert message.kind == "error"
    return str(message.fields["error"])


def test_an_expected_error_is_its_own_sentence(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fails_with(engine, monkeypatch, CheckpointError("It is damaged. Download it again.")) == (
        "It is damaged. Download it again."
    )


def test_too_little_memory_says_what_to_do(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Shorten the text" in fails_with(engine, monkeypatch, MemoryError())


def test_an_unexpected_error_keeps_its_details_off_the_page(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said = fails_with(engine, monkeypatch, KeyError("/home/someone/secret"))
    assert "KeyError" in said
    assert "secret" not in said
    assert "secret" in caplog.text


def test_an_error_does_not_stop_the_next_job(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        fails_with(engine, patch, ValueError("x"))
    assert kinds(ask(engine, SweepJob(**vars(JOB))).rest())[-1] == "done"


def test_memory_is_estimated_before_it_is_used(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "peak_bytes", lambda *_, **__: 10**15)
    [message] = ask(engine, JOB).rest()
    assert "need about 1000000.0 GB of memory" in message.fields["error"]
    assert "Shorten the text" in message.fields["error"]


def test_a_checkpoint_that_cannot_be_loaded_in_advance_is_only_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_name: str, _device: str, **_: object) -> Checkpoint:
        raise CompeconError("It is broken.")

    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", refuse)
    monkeypatch.setattr(module.gc, "freeze", lambda: None)  # the tests' own objects should stay collectable
    Engine().warm_up("a")
    assert "could not be loaded in advance" in caplog.text


def test_imports_that_fail_are_logged_and_the_next_text_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise ImportError("libtorch.so: failed to map segment from shared object")

    monkeypatch.setattr(module, "_import_models", refuse)
    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", refuse)
    monkeypatch.setattr(module.gc, "freeze", lambda: None)
    engine = Engine()
    engine.warm_up("")
    assert "could not be loaded in advance" in caplog.text
    [message] = ask(engine, JOB).rest()
    assert "memory" in message.fields["error"]


def test_jobs_that_nobody_wants_do_not_wait_for_a_load_and_unloading_does_not_either(
    sentiment: Checkpoint, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def load(_name: str, _device: str, **_: object) -> Checkpoint:
        begun.set()
        assert go_on.wait(WAIT_S)
        return sentiment

    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", load)
    engine = Engine()
    first = ask(engine, SweepJob("slow", "cpu", "a"))
    assert begun.wait(WAIT_S)
    dropped = [ask(engine, SweepJob("slow", "cpu", str(i))) for i in range(3)]
    for listener in dropped:
        listener.gone.set()
    assert [listener.rest() for listener in dropped] == [[], [], []]
    other = ask(engine, SweepJob("other", "cpu", "b"))
    message = other.next()
    assert message is not None
    assert message.kind == "waiting"
    other.gone.set()
    assert engine.unload() == 0
    go_on.set()
    steps.go.release(3)
    assert kinds(first.rest())[-1] == "done"


@pytest.mark.parametrize(
    ("words", "is_lost"),
    [
        ("CUDA error: device-side assert triggered", True),
        ("CUDA error: the device is not there", True),
        ("CUDA out of memory. Tried to allocate 20 GiB", False),
        ("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes", False),
        ("shapes do not match", False),
    ],
)
def test_a_device_that_failed_is_given_up_and_too_little_memory_is_not(
    sentiment: Checkpoint, monkeypatch: pytest.MonkeyPatch, words: str, is_lost: bool
) -> None:
    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", lambda *_, **__: sentiment)
    given_up = threading.Event()
    engine = Engine(given_up.set)
    said = fails_with(engine, monkeypatch, RuntimeError(words))
    assert said.endswith(".")
    engine._pool.shutdown()
    assert given_up.is_set() is is_lost


def test_two_checkpoints_asked_in_turn_are_loaded_once_each(
    sentiment: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(name: str, _device: str, **_: object) -> Checkpoint:
        loaded.append(name)
        return sentiment

    monkeypatch.setattr("compecon.checkpoints.load.load_checkpoint", load)
    engine = Engine()
    for name in ("one", "other") * 3:
        engine.load(name, "cpu")
    assert loaded == ["one", "other"]
