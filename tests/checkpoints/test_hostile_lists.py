"""One bad folder is one bad line of the list: whatever it holds, the others stay, and every word can be shown."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compecon.checkpoints import catalog
from compecon.checkpoints.catalog import VARIABLE, CheckpointEntry, list_checkpoints
from compecon.checkpoints.gate import safetensors_header, weight_files
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CompeconError
from tests.support import hostile

pytestmark = pytest.mark.skipif(os.name == "nt", reason="names that are not UTF-8, pipes and devices are POSIX's")
Make = Callable[..., Path]
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
HEADER = {
    "__metadata__": {"format": "pt"},
    "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    "b": {"dtype": "F16", "shape": [4], "data_offsets": [16, 24]},
}


@pytest.fixture(autouse=True)
def _nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compecon.checkpoints.locate.assets", lambda: tmp_path / "assets")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv(VARIABLE, raising=False)


def listed(*folders: Path) -> list[CheckpointEntry]:
    """The list, every word of which can be shown and every problem of which is a sentence."""
    entries = list(list_checkpoints(folders))
    for entry in entries:
        for text in (entry.name, entry.title, entry.task, entry.architecture, entry.problem):
            text.encode()
        if entry.preflight is not None:
            json.dumps(asdict(entry.preflight), ensure_ascii=False, allow_nan=False).encode()
        assert bool(entry.problem) is (entry.preflight is None)
        assert "\n" not in entry.problem
    return entries


def header_of(raw: bytes) -> bytes:
    return struct.pack("<Q", len(raw)) + raw + bytes(24)


def files(folder: Path) -> dict[str, st.SearchStrategy[Any]]:
    """What may take the place of each file of a good folder."""
    readable = {name: json.loads((folder / name).read_text()) for name in ("config.json", "tokenizer_config.json")}
    record = {
        "schema": 1,
        "title": "T",
        "task": "t",
        "metrics": [{}],
        "sha256": {"config.json": "0" * 64},
        "shared": {},
    }
    index = {"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}}
    header = hostile.spoiled(HEADER).map(lambda raw: header_of(raw) if isinstance(raw, bytes) else raw)
    good = {**readable, "compecon.json": record, INDEX: index}
    return {
        **{name: hostile.spoiled(content) for name, content in good.items()},
        WEIGHTS: header | hostile.spoiled(),
        "tokenizer.json": hostile.spoiled(),
        "README.md": hostile.spoiled(),
        "adapter_config.json": hostile.spoiled(),
    }


@pytest.mark.timeout(120)
def test_whatever_a_folder_holds_its_neighbours_are_listed(make: Make, tmp_path: Path) -> None:
    good = make("classifier", "models/good")

    @settings(max_examples=120, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.sampled_from(hostile.NAMES[:-1]), st.data())
    def check(name: str, data: st.DataObject) -> None:
        folder = tmp_path / "models" / f"{name}-bad"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        for file, content in data.draw(st.fixed_dictionaries({}, optional=files(good))).items():
            hostile.put(folder / file, content)
        try:
            found = {str(entry.path): entry for entry in listed(folder.parent)}
            assert found[str(good)].problem == ""
        finally:
            shutil.rmtree(folder)

    check()


@pytest.mark.parametrize("name", ["caf\udce9", "\udcff\udcfe"])
def test_a_folder_whose_name_is_not_utf_8_is_listed_with_what_to_do(make: Make, tmp_path: Path, name: str) -> None:
    good = make("encoder", "models/good")
    shutil.copytree(good, tmp_path / "models" / name)
    by_problem = {entry.problem: entry for entry in listed(good.parent)}
    [refused] = [problem for problem in by_problem if problem]
    assert "Rename" in refused
    with pytest.raises(CompeconError, match="Rename"):
        load_checkpoint(by_problem[refused].path)


def test_folders_that_are_no_folders_are_lines_too(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = make("encoder", "models/good")
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    (tmp_path / "models" / "inner").symlink_to("inner")
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "models--a--b").symlink_to("models--a--b")
    cached = tmp_path / "hub" / "models--c--d" / "refs"
    cached.mkdir(parents=True)
    os.mkfifo(cached / "main")
    monkeypatch.setenv(VARIABLE, os.pathsep.join(["~nobody-at-all/x", str(tmp_path / "no\udce9ne")]))
    entries = listed(good.parent, loop, good / "config.json", tmp_path / "x\0y")
    assert [entry.problem == "" for entry in entries] == [True, False, False, False, False, False]


def test_what_nobody_foresaw_is_the_sentence_of_its_folder(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = make("encoder", "models/good"), make("encoder", "models/bad")
    survey = catalog.survey

    def broken(path: Path, **settings: Any) -> Any:
        if path == bad:
            raise RecursionError("maximum depth \ud800\nexceeded")
        return survey(path, **settings)

    monkeypatch.setattr(catalog, "survey", broken)
    entries = listed(good.parent)
    assert {entry.path: "RecursionError" in entry.problem for entry in entries} == {good: False, bad: True}


# What a header may cost


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every file had been written long ago."""
    monkeypatch.setattr("compecon.checkpoints.gate.remembered._SETTLED_NS", -1)


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of everything that is parsed as JSON by the gate."""
    seen: list[str] = []
    for module in ("safetensors_header", "small_files", "weight_files"):
        parse: Any = __import__(f"compecon.checkpoints.gate.{module}", fromlist=["x"]).parse_json

        def counted(content: bytes, name: str, parse: Any = parse) -> Any:
            seen.append(name)
            return parse(content, name)

        monkeypatch.setattr(f"compecon.checkpoints.gate.{module}.parse_json", counted)
    return seen


@pytest.mark.usefixtures("settled")
def test_a_file_is_parsed_again_when_it_has_changed_and_only_then(make: Make, parses: list[str]) -> None:
    folder = make()
    listed(folder)
    assert sorted(parses) == ["The header of model.safetensors", "config.json", "tokenizer_config.json"]
    for _ in range(3):
        listed(folder)
    assert len(parses) == 3
    config = (folder / "config.json").read_text()
    about = (folder / "config.json").stat()
    (folder / "config.json").write_text(config.replace("BertModel", "BertModex"))
    os.utime(folder / "config.json", ns=(about.st_atime_ns, about.st_mtime_ns))  # as a careful forger would
    assert listed(folder)[0].problem
    assert len(parses) == 4


@pytest.mark.usefixtures("settled")
def test_a_refusal_is_remembered_too(make: Make, parses: list[str]) -> None:
    folder = make()
    (folder / WEIGHTS).write_bytes(header_of(b'{"a":[' + b"0," * 1000 + b"0]}"))
    problems = {listed(folder)[0].problem for _ in range(3)}
    assert len(problems) == 1
    assert parses.count("The header of model.safetensors") == 1


def test_what_has_just_been_written_is_looked_at_again(make: Make, parses: list[str]) -> None:
    folder = make()
    listed(folder)
    listed(folder)
    assert parses.count("config.json") == 2


@pytest.mark.parametrize("size", [safetensors_header.HEADER_LIMIT + 1, 32 << 20])
def test_a_header_is_limited_to_what_a_checkpoint_needs(make: Make, parses: list[str], size: int) -> None:
    folder = make()
    with (folder / WEIGHTS).open("wb") as stream:
        stream.write(struct.pack("<Q", size))
        stream.truncate(size + 100)
    assert f"{size:,}" in listed(folder)[0].problem
    assert "The header of model.safetensors" not in parses


def test_a_header_of_the_largest_model_that_a_config_may_describe_is_read() -> None:
    names = [f"model.layers.{layer}.block_sparse_moe.part{n}.weight" for layer in range(512) for n in range(40)]
    header = {name: {"dtype": "BF16", "shape": [12288, 12288], "data_offsets": [10**12, 10**12]} for name in names}
    assert len(json.dumps(header, separators=(",", ":"))) < safetensors_header.HEADER_LIMIT


def test_shards_are_not_read_on_once_they_hold_more_than_the_index(make: Make, parses: list[str]) -> None:
    folder = make()
    (folder / WEIGHTS).unlink()
    raw = header_of(json.dumps(HEADER).encode())
    names = [f"{n:03}.safetensors" for n in range(40)]
    for name in names:
        (folder / name).write_bytes(raw)
    (folder / INDEX).write_text(json.dumps({"weight_map": {f"t{n}": name for n, name in enumerate(names)}}))
    assert "disagree" in listed(folder)[0].problem
    assert len([name for name in parses if "safetensors" in name and name != INDEX]) < 25


def test_an_index_of_too_many_shards_is_refused_before_one_is_opened(make: Make) -> None:
    folder = make()
    (folder / WEIGHTS).unlink()
    n = weight_files._MOST_SHARDS + 1
    (folder / INDEX).write_text(json.dumps({"weight_map": {f"t{i}": f"{i}.safetensors" for i in range(n)}}))
    assert f"{n} files" in listed(folder)[0].problem
