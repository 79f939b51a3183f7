"""A checkpoint counts when it is whole, and only then."""

from __future__ import annotations

import hashlib
import json

import pytest

from compecon.errors import NewerError
from compecon.files.complete import (
    KEEP,
    MARKER,
    checkpoint_folder,
    checkpoints_of,
    described,
    is_complete,
    last_complete_checkpoint,
    mark_complete,
    matches,
    read_stated,
    set_aside,
    write_stated,
)


@pytest.fixture
def written(tmp_path):
    """Write the checkpoint of a step, marked unless said otherwise."""

    def write(step, *, marked=True):
        folder = checkpoint_folder(tmp_path, step)
        (folder / "inner").mkdir(parents=True)
        (folder / "weights.bin").write_bytes(bytes([step]) * 100)
        (folder / "inner" / "state.json").write_text("{}")
        if marked:
            mark_complete(folder, step)
        return folder

    return write


def test_the_marker_names_every_file_with_its_size_and_digest(written):
    folder = written(3)
    said = json.loads((folder / MARKER).read_text())
    assert said["step"] == 3
    assert said["files"] == {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in (("weights.bin", b"\x03" * 100), ("inner/state.json", b"{}"))
    }


def test_steps_are_numbers_and_not_words(written, tmp_path):
    folders = [written(step, marked=False) for step in (9, 10, 100)]
    (tmp_path / "checkpoint-last").mkdir()
    assert checkpoints_of(tmp_path) == folders


def test_the_newest_are_kept(written, tmp_path):
    folders = [written(step) for step in (5, 10, 15, 20)]
    assert checkpoints_of(tmp_path) == folders[-KEEP:]
    assert last_complete_checkpoint(tmp_path) == folders[-1]


def _cut(folder):
    (folder / "weights.bin").write_bytes(b"\x02" * 99)


def _flip(folder):
    (folder / "weights.bin").write_bytes(b"\x02" * 99 + b"\x03")


@pytest.mark.parametrize(
    "spoil",
    [
        _cut,
        _flip,
        lambda folder: (folder / "weights.bin").unlink(),
        lambda folder: (folder / MARKER).unlink(),
        lambda folder: (folder / MARKER).write_text('{"files": {}}'),
        lambda folder: (folder / MARKER).write_text('{"files": {"weights.bin": 3}}'),
        lambda folder: (folder / MARKER).write_text("\x00"),
    ],
)
def test_a_checkpoint_that_is_not_as_written_is_set_aside(written, tmp_path, spoil):
    good, bad = written(1), written(2)
    spoil(bad)
    assert not is_complete(bad)
    assert last_complete_checkpoint(tmp_path) == good
    assert not bad.exists()
    assert bad.with_name(f"broken-{bad.name}").is_dir()


def test_a_second_broken_one_of_a_step_takes_the_place_of_the_first(written, tmp_path):
    for _ in range(2):
        written(2, marked=False)
        assert last_complete_checkpoint(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["broken-checkpoint-2"]


def test_a_file_is_set_aside_too(tmp_path):
    (tmp_path / "ended.json").write_text("{")
    assert set_aside(tmp_path / "ended.json").read_text() == "{"
    assert not (tmp_path / "ended.json").exists()


def test_a_description_fits_its_file_alone(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("same length")
    other.write_text("same lengtj")
    assert matches(one, described(one))
    assert not matches(other, described(one))


def test_what_a_training_is_comes_back_with_or_without_a_version(tmp_path):
    path, stated = tmp_path / "settings.json", {"steps": 4, "rates": [0.1, None]}
    write_stated(path, stated)
    assert read_stated(path) == stated
    assert next(iter(json.loads(path.read_text()))) == "schema"
    path.write_text(json.dumps(stated))  # of a version that had none
    assert read_stated(path) == stated


@pytest.mark.parametrize("damage", ["{", "[1]", '{"schema": "x"}', "\xff", '{"steps": NaN}'])
def test_what_a_training_is_may_be_damaged(tmp_path, damage):
    path = tmp_path / "settings.json"
    path.write_text(damage)
    assert read_stated(path) is None


@pytest.mark.parametrize("content", ['{"schema": 2, "steps": 4}', '{"schema": 2, "st'])
def test_what_a_newer_training_is_is_left_alone(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_text(content)
    with pytest.raises(NewerError):
        read_stated(path)
    assert path.read_text() == content
