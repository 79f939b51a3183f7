"""One bad run, sweep, experiment, history or folder is one bad thing: lists and pages show the others."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.server import resources
from app.server.run_listing import Listing
from app.train.run_resources import Histories
from compecon.errors import RunError
from compecon.evaluation.evaluation_records import EVALUATIONS, EvaluationStore
from compecon.evaluation.row_store import STATISTICS, StatisticsStore
from compecon.files.durable import tail
from compecon.paths import assets
from compecon.runs.executors.choice import open_store
from compecon.runs.folder import LOG, METRICS, SPEC, STATUS
from compecon.runs.home import Home
from compecon.runs.run_record import RunRecord
from compecon.runs.store import RunStore
from compecon.runs.sweeps.sweep import Sweep
from compecon.views.frontier.axes import axes_of, tasks_of
from compecon.views.frontier.experiment_points import experiment_points
from compecon.views.frontier.sources import Sources, all_points
from compecon.views.runs.curves import metrics_csv
from compecon.views.runs.detail import run_detail
from compecon.views.runs.example_rows import examples_view
from compecon.views.runs.run_rows import run_row
from compecon.views.runs.spec_diff import spec_diff
from tests.support import hostile
from tests.support.made_runs import METRIC, attempt, made, steps
from tests.support.pages import canvas_of, open_page

pytestmark = pytest.mark.skipif(os.name == "nt", reason="names that are not UTF-8, pipes and devices are POSIX's")
EXAMPLES = {"told": "dev", "best": [{"text": "t", "target": 1, "prediction": 0.5, "loss": 0.1}], "worst": []}
RESULTS = {
    "metric": METRIC, "difference": {"value": 0.1, "low": 0.0, "high": 0.2}, "share": 0.4, "macs": 100, "n_tokens": 20,
    "parent_macs": 300, "latency": {"value": 0.5, "low": 0.4, "high": 0.6, "device": "cpu", "threads": 1, "batch": 8,
    "n_tokens": 64}, "price": 0.3, "target": 0.4, "met": True,
}  # fmt: skip
LINES = [
    attempt(1),
    *steps("incentive", 1, 2, 3),
    {"event": "quality", "metric": "accuracy", "split": "dev", "value": 0.7},
]

SWEEP = {"schema": 1, "recipe": "train", "points": [{}], "run_ids": []}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "home"))
    return open_store(Home.default())


def good_and_bad(store: RunStore) -> tuple[RunRecord, RunRecord]:
    one, other = (
        made(store, recipe="train", params={"task": "sst2", "base": "x"}, title=name, lines=LINES, results=RESULTS)
        for name in ("good", "bad")
    )
    (other.folder / "examples.json").write_text(json.dumps(EXAMPLES))
    return one, other


def shown(value: Any) -> None:
    """Everything in it can be sent to a browser."""
    json.dumps(value, default=str, ensure_ascii=False).encode()


def test_whatever_a_run_holds_the_others_are_listed(store: RunStore) -> None:
    good, bad = good_and_bad(store)
    spec, status = (json.loads((bad.folder / name).read_text()) for name in (SPEC, STATUS))
    lines = [json.dumps(line).encode() for line in LINES]
    listing, histories = Listing(store), Histories()
    metrics = st.lists(st.sampled_from(lines) | hostile.changed(LINES[1]) | hostile.changed(LINES[-1]) | st.binary())
    whole = shutil.copytree(bad.folder, bad.folder.parent.parent / "whole")
    places = {
        SPEC: hostile.spoiled(spec),
        STATUS: hostile.spoiled(status),
        METRICS: hostile.spoiled() | metrics.map(b"\n".join),
        "examples.json": hostile.spoiled(EXAMPLES),
        LOG: hostile.spoiled(),
        "cancel": hostile.spoiled(),
    }

    @settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.fixed_dictionaries({}, optional=places))
    def check(contents: dict[str, Any]) -> None:
        shutil.rmtree(bad.folder)
        shutil.copytree(whole, bad.folder)
        for name, content in contents.items():
            hostile.put(bad.folder / name, content)
        records = store.list()
        assert {record.run_id for record in records} == {good.run_id, bad.run_id}
        assert {record.run_id for record in listing.records()} == {good.run_id, bad.run_id}
        shown([asdict(run_row(record, time.time())) for record in records])
        found = all_points(Sources(records=records, reports=(), has_quoted=False))
        assert good.run_id in {point.key.removeprefix("run/") for point in found.points}
        shown([found.left_out, [asdict(point) for point in found.points]])
        for record in records:
            with histories.courses(record.folder) as courses:
                shown(asdict(run_detail(record, courses, tail(record.folder / LOG), now=time.time())))
                metrics_csv(courses.history).encode()
            shown([asdict(change) for change in spec_diff(good.spec, record.spec)])

    check()


@given(hostile.changed(EXAMPLES))
def test_examples_of_any_type_make_a_table(content: bytes) -> None:
    value = json.loads(content)
    if isinstance(value, dict):
        examples_view(value)


def first_of(folder: Path, pattern: str) -> Path:
    return next(path for path in sorted(folder.glob(pattern)) if not path.name.startswith("texts-"))


@pytest.mark.slow
def test_whatever_a_report_or_a_measurement_holds_the_others_are_found(store: RunStore, tmp_path: Path) -> None:
    report = json.loads((assets() / "experiments" / "sst2" / "report.json").read_text())
    report = {**report, **{name: value[:2] for name, value in report.items() if isinstance(value, list)}}
    statistics = json.loads(first_of(assets() / STATISTICS, "*.json").read_text())
    evaluation = json.loads((assets() / f"{EVALUATIONS}.jsonl").read_text().splitlines()[0])
    kept = store.home.measurements
    evaluations, rows = EvaluationStore(kept), StatisticsStore(kept)
    n_evaluations, n_rows = len(evaluations.all()), len(rows.all())
    places = {
        tmp_path / "mine" / "report.json": hostile.spoiled(report),
        kept / EVALUATIONS / "x.json": hostile.spoiled(evaluation),
        kept / STATISTICS / "x.json": hostile.spoiled() | hostile.changed({**statistics, "rows": 3}),
        kept / STATISTICS / "caf\udce9.json": hostile.spoiled(),
        store.home.sweeps / "abcdefgh.json": hostile.spoiled(SWEEP),
        store.home.root / "settings.json": hostile.spoiled({"slots": {"cpu": 1}}),
        store.home.root / "number.json": hostile.spoiled({"last": 1}),
    }  # fmt: skip
    for path in places:
        path.parent.mkdir(parents=True, exist_ok=True)

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.fixed_dictionaries({}, optional=places))
    def check(contents: dict[Path, Any]) -> None:
        for path in places:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path, content in contents.items():
            hostile.put(path, content)
        found = experiment_points(tmp_path / "mine" / "report.json")
        shown([found.left_out, [asdict(point) for point in found.points]])
        for one in (evaluations.all(), rows.all()):
            shown([each.written() for each in one])
        assert len(evaluations.all()) >= n_evaluations
        assert len(rows.all()) >= n_rows
        measured = all_points(Sources(evaluations=evaluations.all(), reports=(tmp_path / "mine" / "report.json",)))
        shown([measured.left_out, [asdict(point) for point in measured.points]])
        for choice in tasks_of(measured.points):
            axes_of(measured.points, choice.name)
        assert store.list() == ()
        with contextlib.suppress(RunError):
            Sweep.read(store.home, "abcdefgh")
        with contextlib.suppress(RunError):
            store.home.next_number()

    check()


@pytest.fixture
def hostile_home(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run and a checkpoint that are good, and of everything there is a bad one of each kind."""
    good, bad = good_and_bad(store)
    spec, status = (json.loads((bad.folder / name).read_text()) for name in (SPEC, STATUS))
    deep = hostile.DEEP[2]
    odd = {"title": "\ud800 =1+1 **x**", "params": {"a\ud800": [[["\udfff"]]], "task": 3, "base": {"x": []}}}
    spoilt: dict[str, Any] = {
        SPEC: [deep, hostile.pipe, json.dumps({**spec, **odd}).encode(), b"\xff\xfe{\0}\0"],
        STATUS: [deep, hostile.pipe, json.dumps({**status, "results": {"metric": [], "sentence": "\udc00"}}).encode()],
        METRICS: [deep, hostile.pipe, b'{"stage": "\\ud800", "step": 1, "total": 1e400}\n', b"\xff\n" * 100],
        "examples.json": [deep, hostile.pipe, b'{"best": 3, "told": ["\\ud800"]}'],
        LOG: [hostile.pipe, b"\x1b[31m\xff\xfe\0", lambda path: path.symlink_to("/dev/zero")],
    }
    number = 0
    for name, contents in spoilt.items():
        for content in contents:
            number += 1
            folder = bad.folder.with_name(f"train-{number:08}")
            shutil.copytree(bad.folder, folder)
            hostile.put(folder / name, content)
    for name in hostile.NAMES:
        (store.home.runs / name).mkdir()
    folders = tmp_path / "models"
    source = assets() / "checkpoints" / "similarity"
    for n, config in enumerate(
        [deep, hostile.pipe, b'{"a":1,"a":2}', b"\xff\xfe{\0}\0", b'{"architectures":["\\ud800"]}']
    ):
        (folders / f"bad{n}").mkdir(parents=True)
        shutil.copy(source / "tokenizer.json", folders / f"bad{n}")
        hostile.put(folders / f"bad{n}" / "config.json", config)
    for name in hostile.NAMES[:-1]:
        shutil.copytree(folders / "bad0", folders / name)
    for folder in (EVALUATIONS, STATISTICS):
        (store.home.measurements / folder).mkdir(parents=True)
        for n, content in enumerate([deep, hostile.pipe, b'{"schema": 1, "key": {"digest": "\\ud800"}}']):
            hostile.put(store.home.measurements / folder / f"{n}.json", content)
    monkeypatch.setenv("COMPECON_CHECKPOINTS", str(folders))
    resources._checkpoints.cache_clear()
    return good.folder


@pytest.mark.parametrize("page", ["attention", "compare", "frontier", "train", "allocation"])
def test_every_page_opens_among_bad_entries(hostile_home: Path, page: str) -> None:
    opened = open_page(page)
    assert not opened.exception
    if page == "train":
        listed = canvas_of(opened)["rows"]
        assert "good" in str(listed)
        assert len(listed) == len(list(hostile_home.parent.glob("train-*")))


@pytest.mark.parametrize("part", ["overview", "examples", "settings", "log"])
def test_each_bad_run_has_its_page(hostile_home: Path, part: str) -> None:
    for folder in sorted(hostile_home.parent.glob("train-*")):
        opened = open_page("train", run=folder.name, part=part)
        assert not opened.exception, folder.name


def test_each_bad_checkpoint_can_be_chosen(hostile_home: Path) -> None:
    assert hostile_home
    for name, entry in resources.checkpoints().items():
        if entry.problem:
            for page, address in (("attention", {"checkpoint": name}), ("compare", {"a": name, "part": "table"})):
                assert not open_page(page, **address).exception, entry.problem
