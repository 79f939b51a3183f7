"""Recorded streams: found by what they show, and by nothing else."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from compecon.checkpoints.load import load_checkpoint
from compecon.compression.elastic.sizes_offered import sizes_offered
from compecon.paths import assets
from compecon.views.attention.attention_stream import AttentionRequest, attention_stream
from compecon.views.attention.budget_grid import budget_grid
from compecon.views.attention.example_texts import CHILDREN, FIRST_PAIR, Example, examples, examples_for
from compecon.views.attention.frames import Message, decode, encode
from compecon.views.attention.recording import record_examples
from compecon.views.attention.traces import TraceKey, read_index, read_trace, recorded_sizes, write_trace

STREAM = [Message("open", {"n": 1}), Message("frame", {"k": 1}, {"a": np.ones(3, np.float16)}), Message("done")]
BUNDLED = sorted(path.name for path in (assets() / "checkpoints").iterdir() if (path / "config.json").is_file())
EXAMPLES = [example for example in examples() if example.checkpoint in BUNDLED]
RECORDED = sorted({example.checkpoint for example in EXAMPLES})


def key_of(example: Example) -> TraceKey:
    return TraceKey(example.checkpoint, example.text, example.pair)


def test_a_recording_is_read_back_by_its_key(tmp_path: Path) -> None:
    key = TraceKey("tiny", "a text", "a pair")
    file = write_trace(key, STREAM, "digest", tmp_path / "new")
    assert read_trace(key.name, tmp_path / "new") == b"".join(map(encode, STREAM))
    assert read_index(tmp_path / "new") == {key.name: "digest"}
    assert file.parent == tmp_path / "new"


def test_recordings_gather_in_one_index(tmp_path: Path) -> None:
    keys = [TraceKey("tiny", text) for text in ("b", "a")]
    for key in keys:
        write_trace(key, STREAM, "digest", tmp_path)
    assert list(read_index(tmp_path)) == sorted(key.name for key in keys)


def test_the_same_stream_gives_the_same_bytes(tmp_path: Path) -> None:
    files = [write_trace(TraceKey("tiny", "a"), STREAM, "digest", tmp_path / name) for name in ("one", "two")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_anything_else_shown_is_another_recording() -> None:
    keys = [
        TraceKey("tiny", "a"), TraceKey("other", "a"), TraceKey("tiny", "b"), TraceKey("tiny", "a", "b"),
        TraceKey("tiny", "a", "", "random"), TraceKey("tiny", "", "a"),
    ]  # fmt: skip
    assert len({key.name for key in keys}) == len(keys)


@pytest.mark.parametrize(
    "name", ["tiny-unknown", "", ".", "..", "../secret", "index.json", "/etc/passwd", "secret\0", "..\\secret"]
)
def test_only_names_in_the_index_are_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "traces"
    write_trace(TraceKey("tiny", "a"), STREAM, "digest", folder)
    for place in (tmp_path, folder):
        (place / "secret.bin.gz").write_bytes(gzip.compress(b"not for the page"))
    assert read_trace(name, folder) is None


def test_a_folder_without_an_index_has_no_recordings(tmp_path: Path) -> None:
    assert read_index(tmp_path) == {}
    assert read_trace("tiny-unknown", tmp_path) is None


def test_the_first_example_of_each_is_recorded() -> None:
    missing = [name for name in RECORDED if key_of(examples_for(name)[0]).name not in read_index()]
    assert missing == [], "record them: compecon record"


def is_complete(recording: bytes) -> bool:
    stream = list(decode(recording))
    n = len(stream[0].fields["tokens"])
    budgets = {m.fields["k"] for m in stream if m.kind == "frame"}
    ends = (stream[0].kind, stream[1].fields["k"], stream[-1].kind)
    return ends == ("open", n, "done") and set(budget_grid(n)) <= budgets


def test_recorded_examples_are_recorded_to_their_end() -> None:
    names = [name for name in (key_of(example).name for example in EXAMPLES) if name in read_index()]
    assert names
    assert [name for name in names if not is_complete(read_trace(name) or b"")] == []


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_shows_what_its_checkpoint_computes_today(name: str) -> None:
    checkpoint = load_checkpoint(name, "cpu")
    example = next(example for example in EXAMPLES if example.checkpoint == name)
    recording = read_trace(key_of(example).name)
    assert recording is not None
    encoded = checkpoint.encode(example.text, example.pair or None)
    live = list(attention_stream(checkpoint, encoded, AttentionRequest(budgets=(1, 5))))
    assert next(decode(recording)).fields.keys() == live[0].fields.keys()
    recorded = {m.fields["k"]: m for m in decode(recording) if m.kind == "frame"}
    for frame in (m for m in live if m.kind == "frame"):
        then = recorded[frame.fields["k"]]
        assert then.fields["change"] == pytest.approx(frame.fields["change"], abs=1e-3)
        for array in ("statistics", "weights"):
            np.testing.assert_allclose(
                then.arrays[array].astype(np.float32), frame.arrays[array].astype(np.float32), atol=2e-3
            )


def test_recordings_name_the_checkpoint_that_is_bundled_today() -> None:
    digests = {name: load_checkpoint(name, "cpu").digest for name in RECORDED}
    stale = [
        key
        for key, digest in read_index().items()
        if (today := digests.get(key.rpartition("-")[0])) is not None
        and not (digest == next(decode(read_trace(key) or b"")).fields["digest"] == today)
    ]
    assert stale == [], "their checkpoints have changed: record again"
    assert {key.rpartition("-")[0] for key in read_index()} >= set(RECORDED)


def base_of(child: str) -> str:
    return TraceKey(child, *text_of(child)).name


def text_of(child: str) -> tuple[str, str]:
    first = next(example for example in EXAMPLES if example.checkpoint == CHILDREN[child])
    return first.text, first.pair


@pytest.mark.parametrize("child", CHILDREN)
def test_the_first_text_of_an_elastic_checkpoint_is_recorded_at_every_size_that_is_offered(child: str) -> None:
    checkpoint = load_checkpoint(child, "cpu")
    assert checkpoint.elastic is not None
    offered = sizes_offered(checkpoint.elastic.prices)
    assert {1.0, *recorded_sizes(base_of(child), read_index())} == set(offered)
    for size, name in recorded_sizes(base_of(child), read_index()).items():
        recording = read_trace(name) or b""
        [opening] = [m for m in decode(recording) if m.kind == "open"]
        assert (opening.fields["size"], opening.fields["digest"]) == (size, checkpoint.at(size).digest)
        assert read_index()[name] == checkpoint.at(size).digest
        assert [each["size"] for each in opening.fields["sizes"]] == list(offered)
        assert is_complete(recording)


@pytest.mark.parametrize("child", CHILDREN)
def test_a_recorded_size_shows_what_that_size_computes_today(child: str) -> None:
    checkpoint, size = load_checkpoint(child, "cpu"), 0.2
    text, pair = text_of(child)
    encoded = checkpoint.encode(text, pair or None)
    recording = read_trace(recorded_sizes(base_of(child), read_index())[size]) or b""
    recorded = {m.fields["k"]: m for m in decode(recording) if m.kind == "frame"}
    request = AttentionRequest(budgets=(2,), size=size)
    for frame in (m for m in attention_stream(checkpoint, encoded, request) if m.kind == "frame"):
        then = recorded[frame.fields["k"]]
        for array in ("statistics", "weights"):
            np.testing.assert_allclose(
                then.arrays[array].astype(np.float32), frame.arrays[array].astype(np.float32), atol=2e-3
            )


def test_sizes_of_another_text_are_not_taken_for_those_of_a_text() -> None:
    names = ["one-ab@0.3", "one-ab@0.05", "one-ab", "one-abc@0.3", "another-ab@0.3"]
    assert recorded_sizes("one-ab", names) == {0.05: "one-ab@0.05", 0.3: "one-ab@0.3"}


@pytest.mark.slow
def test_beside_its_parent_a_child_is_recorded_on_the_first_text_alone_and_others_are_left(tmp_path: Path) -> None:
    _, child = FIRST_PAIR
    other = TraceKey("similarity-elastic", *text_of("similarity-elastic"), size=0.3)
    gone = TraceKey("similarity-elastic", "a text of yesterday", size=0.3)
    for key in (other, gone):
        write_trace(key, STREAM, "digest", tmp_path)
    files = record_examples(tmp_path, only=child)
    assert all(file.name.startswith(base_of(child)) for file in files)
    assert len(files) == len({file.name for file in files}) > 1
    assert other.name in read_index(tmp_path)
    assert gone.name not in read_index(tmp_path)
