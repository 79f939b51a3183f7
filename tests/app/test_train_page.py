"""The Train page as a script: what it shows of runs, what its buttons ask for, what it refuses. No worker starts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.server import resources
from app.state import runs_state
from app.train import run_list, run_resources
from compecon.errors import RunError
from compecon.runs.folder import LOG, METRICS, STATUS
from compecon.runs.home import Home
from compecon.runs.locks import Lock
from compecon.runs.run_record import RunSpec, RunState, Status
from compecon.runs.store import RunStore
from compecon.views.runs.presets import PRESETS, QUICK
from tests.support.pages import address_of, canvas_of

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<img src=x onerror=alert(1)> ![](http://evil.example/x.png) $x$ :smile: [a](javascript:alert(1)) `b` _c_"
UNESCAPED = r"(?<!\\)(<img|!\[|\$x|:smile|\[a|`b|_c)"
SPEC = RunSpec("train", {"task": "reviews", "base": "sentiment", "target": 0.45}, title="Mine")


class FakeExecutor:
    """Makes runs, and starts nothing; remembers what it was asked for."""

    name = "local"

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.asked: list[tuple[str, str]] = []
        self.problem = ""

    def submit(self, spec: RunSpec, key: str = "") -> str:
        if self.problem:
            raise RunError(self.problem)
        run_id, lock = self.store.create(spec, key)
        self.asked.append(("submit", run_id))
        if lock is not None:
            lock.release()
        return run_id

    def start(self, run_id: str) -> None:
        self.asked.append(("start", run_id))

    def stop(self, run_id: str) -> None:
        self.asked.append(("stop", run_id))

    def lives(self, _record: object) -> bool | None:
        return False


Make = Callable[..., str]
Open = Callable[..., AppTest]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(Home(tmp_path / "home"))


@pytest.fixture
def fake(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> FakeExecutor:
    one = FakeExecutor(store)
    monkeypatch.setattr(run_resources, "executor_for", lambda _name, _store: one)
    return one


@pytest.fixture
def make(store: RunStore) -> Iterator[Make]:
    """A run in some state, as its files tell it; its lock is held while it is under way."""
    held: list[Lock] = []

    def run(state: RunState = RunState.SUCCEEDED, spec: RunSpec = SPEC, reason: str = "", **status: Any) -> str:
        run_id, lock = store.create(spec)
        assert lock is not None
        said = Status(state, reason, pid=1, spec_sha256=spec.digest, **status)
        (store.folder(run_id) / STATUS).write_text(json.dumps(asdict(said)))
        if state.is_finished or state is RunState.STARTING:
            lock.release()
        else:
            held.append(lock)
        return run_id

    yield run
    for lock in held:
        lock.release()


@pytest.fixture
def open_train(fake: FakeExecutor) -> Open:
    """Open the page with an address: ``open_train(run="train-...")``."""

    def run(**params: str) -> AppTest:
        page = AppTest.from_file(ROOT / "app" / "streamlit_app.py", default_timeout=60)
        page.switch_page(str(ROOT / "pages" / "train.py"))
        for name, value in params.items():
            page.query_params[name] = value
        return page.run()

    del fake
    return run


def write_metrics(store: RunStore, run_id: str, n_steps: int, stage: str = "incentive") -> None:
    step = {"stage": stage, "total": n_steps, "task": 1.0, "cost": 0.9, "share": 0.8, "price": 1.0}
    lines = [json.dumps({**step, "step": n, "seconds": n / 2}) + "\n" for n in range(1, n_steps + 1)]
    (store.folder(run_id) / METRICS).write_text("".join(lines))


def column(page: AppTest, title: str) -> list[str]:
    """Cells of the list's column."""
    table = canvas_of(page)
    place = [each["title"] for each in table["columns"]].index(title)
    return [row["cells"][place] for row in table["rows"]]


def shown_as_markup(page: AppTest) -> str:
    """Everything that Streamlit reads as markdown, wherever it is."""
    kinds = ("markdown", "caption", "error", "info", "warning", "success", "subheader", "html")
    bodies = [str(getattr(e.proto, "body", "")) for kind in kinds for e in page.get(kind)]
    widgets = ("button", "selectbox", "text_input", "number_input", "checkbox", "radio", "button_group", "expander")
    labels = [str(getattr(e.proto, "label", "")) for kind in widgets for e in page.get(kind)]
    options = [str(option) for kind in ("radio", "button_group") for e in page.get(kind) for option in e.options]
    bars = [e.proto.text for e in page.get("progress")]
    tables = [str(e.value.to_dict()) for e in page.get("table")]
    return "\n".join([*bodies, *labels, *options, *bars, *tables])


# ---- nothing there yet


def test_an_empty_list_invites(open_train: Open) -> None:
    page = open_train()
    assert not page.exception
    assert page.subheader[0].value == "No runs yet"
    assert [button.label for button in page.button] == ["Start a quick look", "Fill in the form"]


def test_the_quick_look_is_one_press_away_and_one_run_however_often_it_is_pressed(
    open_train: Open, fake: FakeExecutor, store: RunStore
) -> None:
    first, second = open_train(), open_train()
    first.button(key="quick-look").click().run()
    second.button(key="quick-look").click().run()
    [record] = store.list()
    assert fake.asked == [("submit", record.run_id)] * 2
    assert not first.exception
    assert record.title == PRESETS[QUICK].title
    assert {name: record.spec.params[name] for name in PRESETS[QUICK].params} == dict(PRESETS[QUICK].params)
    assert address_of(first) == {"run": record.run_id}


def test_the_list_does_not_wait_for_the_settings_of_the_form() -> None:
    program = f"""
import runpy, sys
runpy.run_path({str(ROOT / "app" / "launch.py")!r})
import app.state.form_state, app.train.run_list
print({{"compecon.runs.jobs.options", "compecon.tasks.task_registry", "altair"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# ---- the list


def test_the_list_is_newest_first_and_says_state_and_progress(open_train: Open, make: Make, store: RunStore) -> None:
    make(results={"metric": {"value": 0.9}, "share": 0.44, "sentence": "Smaller, and as good."})
    running = make(RunState.RUNNING, stage="incentive", step=20, total=40)
    write_metrics(store, running, 20)
    page = open_train()
    assert not page.exception
    assert column(page, "State") == ["○ running", "● succeeded"]
    assert column(page, "Progress") == ["50%", "100%"]
    assert column(page, "Left") == ["about 10 s", ""]
    assert column(page, "Stage or reason") == ["incentive 20 of 40, under 1 s", "Smaller, and as good."]
    assert column(page, "Quality") == ["", "0.900"]
    assert [row["progress"] for row in canvas_of(page)["rows"]] == [0.5, 1.0]


def test_the_list_is_cut_and_can_be_had_in_full(open_train: Open, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_list, "PAGE", 2)
    for n in range(3):
        make(spec=replace(SPEC, title=f"Number {n}"))
    page = open_train()
    assert column(page, "Run") == ["Number 2", "Number 1"]
    page.button(key="more").click().run()
    assert column(page, "Run") == ["Number 2", "Number 1", "Number 0"]


def test_all_runs_are_sorted_not_only_those_shown(
    open_train: Open, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_list, "PAGE", 2)
    for title, quality in (("Best", 0.9), ("Worst", 0.1), ("Unknown", None), ("Middle", 0.5)):
        make(spec=replace(SPEC, title=title), results={"metric": {"value": quality}})
    assert column(open_train(sort="quality"), "Run") == ["Worst", "Middle"]
    page = open_train(sort="-quality")
    assert column(page, "Run") == ["Best", "Middle"]
    assert address_of(page) == {"sort": "-quality"}
    assert page.subheader[1].value == "Middle"  # the newest run stays open, wherever it stands
    page.button(key="more").click().run()
    assert column(page, "Run") == ["Best", "Middle", "Worst", "Unknown"]
    assert column(open_train(sort="__class__"), "Run") == ["Middle", "Unknown"]


@pytest.mark.parametrize("told", [None, 7, ["run"], "no column", "--quality"])
def test_what_the_table_tells_is_not_taken_on_trust(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    state = {runs_state.RUNS_TABLE: SimpleNamespace(open=told, sort=told)}
    monkeypatch.setattr(runs_state, "st", SimpleNamespace(session_state=state, query_params={}))
    before = runs_state.runs_view()
    runs_state.take_sort()
    assert runs_state.runs_view() == before
    runs_state.take_run()
    assert isinstance(runs_state.runs_view().run, str)


def test_the_list_is_filtered_and_the_filter_is_in_the_address(open_train: Open, make: Make) -> None:
    make(RunState.FAILED, replace(SPEC, title="One"))
    make(RunState.SUCCEEDED, replace(SPEC, title="Two", sweep="sweep-0000000a"))
    page = open_train()
    page.text_input(key="runs_words").set_value("two").run()
    assert column(page, "Run") == ["Two"]
    page.text_input(key="runs_words").set_value("")
    page.selectbox(key="runs_state").set_value("failed").run()
    assert column(page, "Run") == ["One"]
    assert address_of(page) == {"state": "failed"}
    assert column(open_train(state="failed"), "Run") == ["One"]
    assert column(open_train(sweep="sweep-0000000a"), "Run") == ["Two"]
    assert not open_train(words="three").get("bidi_component")


@pytest.mark.parametrize(("state", "word"), [(RunState.SUCCEEDED, "done"), (RunState.CANCELLED, "stopped")])
def test_an_address_with_an_older_word_for_a_state_still_filters(
    open_train: Open, make: Make, state: RunState, word: str
) -> None:
    make(RunState.FAILED, replace(SPEC, title="One"))
    make(state, replace(SPEC, title="Two"))
    assert column(open_train(state=word), "Run") == ["Two"]


@pytest.mark.parametrize(
    "params",
    [{"run": "../../etc"}, {"run": "train-ffffffffffff"}, {"state": "<b>"}, {"sweep": "x"}, {"part": "everything"}],
)
def test_an_address_that_names_nothing_shows_the_newest_run(
    open_train: Open, make: Make, params: dict[str, str]
) -> None:
    make()
    page = open_train(**params)
    assert not page.exception
    assert page.subheader[1].value == "Mine"


def test_the_row_of_the_run_that_is_shown_is_marked(open_train: Open, make: Make) -> None:
    first, _ = make(spec=replace(SPEC, title="First")), make(spec=replace(SPEC, title="Second"))
    assert open_train().subheader[1].value == "Second"
    page = open_train(run=first)
    assert page.subheader[1].value == "First"
    assert canvas_of(page)["chosen"] == first


def test_a_run_that_is_deleted_while_it_is_looked_at_gives_way(open_train: Open, make: Make, store: RunStore) -> None:
    make(spec=replace(SPEC, title="Stays"))
    gone = make(spec=replace(SPEC, title="Goes"))
    page = open_train(run=gone)
    assert page.subheader[1].value == "Goes"
    store.delete(gone)
    assert page.run().subheader[1].value == "Stays"
    assert not page.exception


def test_what_was_interrupted_is_resumed_in_one_press_the_oldest_first(
    open_train: Open, make: Make, fake: FakeExecutor
) -> None:
    lost = [make(RunState.LOST), make(RunState.LOST)]
    make()
    page = open_train()
    assert page.warning[0].value.startswith("2 runs ")
    page.button(key="resume-all").click().run()
    assert fake.asked == [("start", run_id) for run_id in lost]


def test_a_thousand_runs_are_read_once_and_then_only_where_they_changed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [make() for _ in range(5)]
    running = make(RunState.RUNNING)
    resources.runs()
    asked: list[str] = []
    get = RunStore.get
    monkeypatch.setattr(RunStore, "get", lambda self, run_id: asked.append(run_id) or get(self, run_id))
    assert len(resources.runs()) == 6
    assert asked == [running]
    status = resources.run_store().folder(ids[2]) / STATUS
    said = json.loads(status.read_text())
    status.write_text(json.dumps({**said, "reason": "Another one."}))
    asked.clear()
    assert {record.reason for record in resources.runs()} == {"", "Another one."}
    assert sorted(asked) == sorted([running, ids[2]])


# ---- a run


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (RunState.RUNNING, {"run-stop"}),
        (RunState.SUCCEEDED, {"run-delete"}),
        (RunState.CANCELLED, {"run-resume", "run-delete"}),
        (RunState.FAILED, {"run-again", "run-delete"}),
        (RunState.LOST, {"run-resume", "run-delete"}),
    ],
)
def test_a_run_offers_what_can_be_done_with_it(
    open_train: Open, make: Make, state: RunState, buttons: set[str]
) -> None:
    make(state)
    keys = {button.key for button in open_train().button}
    assert {key for key in keys if key.startswith("run-")} == {*buttons, "run-duplicate"}


@pytest.mark.parametrize(
    ("state", "button", "asked"),
    [
        (RunState.RUNNING, "run-stop", "stop"),
        (RunState.CANCELLED, "run-resume", "start"),
        (RunState.FAILED, "run-again", "start"),
    ],
)
def test_a_button_asks_the_executor(
    open_train: Open, make: Make, fake: FakeExecutor, state: RunState, button: str, asked: str
) -> None:
    run_id = make(state)
    page = open_train()
    page.button(key=button).click().run()
    assert fake.asked == [(asked, run_id)]
    assert not page.exception


def test_a_run_that_was_asked_to_stop_can_be_ended_at_once(
    open_train: Open, make: Make, store: RunStore, fake: FakeExecutor
) -> None:
    run_id = make(RunState.RUNNING)
    store.ask_to_stop(run_id)
    page = open_train()
    page.button(key="run-kill").click().run()
    assert fake.asked == [("stop", run_id)]


def test_a_deleted_run_can_be_had_back(open_train: Open, make: Make, store: RunStore) -> None:
    make(spec=replace(SPEC, title="Stays"))
    run_id = make(spec=replace(SPEC, title="Goes"))
    page = open_train()
    page.button(key="run-delete").click().run()
    assert column(page, "Run") == ["Stays"]
    page.button(key="undo").click().run()
    assert column(page, "Run") == ["Goes", "Stays"]
    assert store.get(run_id).state is RunState.SUCCEEDED
    assert page.subheader[1].value == "Goes"


def test_what_is_refused_is_said(open_train: Open, make: Make, fake: FakeExecutor) -> None:
    make(RunState.FAILED)

    def refuse(_run_id: str) -> None:
        raise RunError("It cannot be started: *the* disk is full.")

    fake.start = refuse  # type: ignore[method-assign]
    page = open_train()
    page.button(key="run-again").click().run()
    assert any("disk is full" in error.value for error in page.error)
    page.button(key="dismiss").click().run()
    assert not any("disk is full" in error.value for error in page.error)


def test_a_failure_says_why(open_train: Open, make: Make) -> None:
    make(RunState.FAILED, reason="The disk is full. Free some room.")
    assert any("The disk is full" in error.value for error in open_train().error)


def test_a_success_says_what_it_achieved_and_what_it_took(open_train: Open, make: Make) -> None:
    make(
        results={
            "sentence": "Smaller, and as good.", "share": 0.44, "target": 0.45, "met": True,
            "estimate": {"seconds": 50}, "took": {"seconds": 100},
        }
    )  # fmt: skip
    page = open_train()
    assert page.success[0].value == "Smaller, and as good\\."
    assert list(page.dataframe[0].value["ratio"]) == [2.0]
    assert page.table[0].value["value"][0].startswith("44\\.0%")


def test_curves_are_drawn_from_the_metrics(open_train: Open, make: Make, store: RunStore) -> None:
    write_metrics(store, make(RunState.RUNNING, stage="incentive", step=30, total=60), 30)
    page = open_train()
    assert not page.exception
    assert len(page.get("vega_lite_chart")) == 3


def test_the_log_is_shown_as_text(open_train: Open, make: Make, store: RunStore) -> None:
    run_id = make()
    (store.folder(run_id) / LOG).write_text(f"{HOSTILE}\n")
    page = open_train(part="log")
    assert page.code[0].value == HOSTILE


def test_examples_are_shown_from_both_ends(open_train: Open, make: Make, store: RunStore) -> None:
    row = {"text": HOSTILE, "target": "good", "prediction": "bad", "loss": 2.0}
    (store.folder(make()) / "examples.json").write_text(json.dumps({"best": [row], "worst": [row, row]}))
    page = open_train(part="examples")
    assert not page.exception
    assert [len(table.value) for table in page.dataframe] == [1, 2]
    assert page.dataframe[0].value["text"][0] == HOSTILE


def test_settings_are_compared_with_the_run_it_was_made_from(open_train: Open, make: Make) -> None:
    parent = make()
    make(spec=replace(SPEC, params={**SPEC.params, "target": 0.3}, parent_run=parent))
    page = open_train(part="settings")
    assert not page.exception
    assert page.table[0].value.to_dict("records") == [{"setting": "target", "there": "0\\.45", "here": "0\\.3"}]


def test_hostile_text_of_a_run_is_never_markup(open_train: Open, make: Make, store: RunStore) -> None:
    spec = replace(SPEC, title=HOSTILE, params={"task": HOSTILE, HOSTILE: HOSTILE})
    make(RunState.FAILED, spec, HOSTILE)
    running = make(RunState.RUNNING, spec, HOSTILE, stage=HOSTILE, step=1, total=2, device=HOSTILE, host=HOSTILE)
    write_metrics(store, running, 3, stage=HOSTILE)
    make(results={"sentence": HOSTILE, "parent": HOSTILE, "metric": {"value": 1.0, "name": HOSTILE}}, spec=spec)
    for record in store.list():
        for part in ("overview", "examples", "settings", "log"):
            page = open_train(run=record.run_id, part=part)
            assert not page.exception
            assert not re.search(UNESCAPED, shown_as_markup(page)), part


def test_the_new_checkpoint_appears_under_the_runs_title(make: Make, store: RunStore, tmp_path: Path) -> None:
    run_id = make()
    folder = store.folder(run_id) / "result" / run_id
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    del tmp_path
    entries = resources.checkpoints()
    assert entries[str(folder)].title == "Mine"


def test_open_in_attention_chooses_the_checkpoint(open_train: Open, make: Make, store: RunStore) -> None:
    run_id = make()
    folder = store.folder(run_id) / "result" / run_id
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    page = open_train()
    page.button(key="run-open").click().run()
    assert not page.exception
    assert page.selectbox(key="checkpoint").value == str(folder)


@pytest.mark.parametrize(("base", "offered"), [("sentiment", True), ("/nowhere", False)])
def test_a_finished_run_is_sent_to_compare_beside_what_it_was_made_of(
    open_train: Open, make: Make, store: RunStore, base: str, offered: bool
) -> None:
    run_id = make(spec=replace(SPEC, params={**SPEC.params, "base": base}))
    folder = store.folder(run_id) / "result" / run_id
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    page = open_train()
    buttons = {button.key: button for button in page.button}
    assert ("run-compare" in buttons) == offered
    if offered:
        buttons["run-compare"].click().run()
        assert not page.exception
        assert [page.selectbox(key=f"compare_{side}").value for side in "ab"] == [base, str(folder)]


# ---- the form


@pytest.fixture
def open_form(open_train: Open) -> Callable[..., AppTest]:
    def run(**params: str) -> AppTest:
        page = open_train(new="0123456789ab", **params)
        assert not page.exception
        return page

    return run


def field(page: AppTest, kind: str, name: str) -> Any:
    [found] = [each for each in page.get(kind) if str(each.key).endswith(f"-{name}")]
    return found


def filled(**params: Any) -> dict[str, str]:
    return {"set": json.dumps({"base": "sentiment", "task": "reviews", "target": 0.5, **params})}


def test_a_form_of_an_address_shows_its_command(open_form: Open) -> None:
    page = open_form(**filled(epochs=1))
    assert page.code[0].value == (
        "compecon train --task reviews --base sentiment --target-macs 0.5 --epochs 1.0 --save-every 50 --out NEW-1"
    )
    assert not page.button(key="start").disabled


def test_what_is_typed_is_in_the_command_and_in_the_address(open_form: Open) -> None:
    page = open_form(**filled())
    field(page, "number_input", "seed").set_value(7).run()
    assert "--seed 7" in page.code[0].value
    assert json.loads(address_of(page)["set"])["seed"] == 7
    again = open_form(**{name: value for name, value in address_of(page).items() if name != "new"})
    assert again.code[0].value == page.code[0].value


def test_the_task_is_shown_as_it_was_understood_and_a_doubt_is_asked_about(open_form: Open, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("Text;label\n" + "".join(f"{HOSTILE} {i};{i % 2}\n" for i in range(80)))
    form = filled(task=f"files:{table}", checkpoint="sentiment", recover_epochs=1.0)
    page = open_form(kind="prune", **form)
    assert re.search("separated by semicolons.*text = 'Text'", shown_as_markup(page))
    assert not re.search(UNESCAPED, shown_as_markup(page))
    assert page.button(key="start").disabled
    for place, name in enumerate(("positive", "negative")):
        field(page, "selectbox", f"order-{place}").set_value(name)
    page.run()
    field(page, "button", "order-use").click().run()
    assert json.loads(address_of(page)["set"])["task"] == f"files:{table}?labels=positive,negative"
    assert not page.button(key="start").disabled
    table.write_text(table.read_text() + " ;1\n;0\n")
    page.run()
    assert page.button(key="start").disabled
    assert re.search("line 82.*line 83", shown_as_markup(page).replace("\n", " "))
    field(page, "checkbox", "skip_bad_rows").check().run()
    assert not page.button(key="start").disabled


def test_what_is_wrong_is_said_and_cannot_be_started(open_form: Open, fake: FakeExecutor) -> None:
    page = open_form(**filled())
    field(page, "number_input", "learning_rate").set_value(-1.0).run()
    assert page.button(key="start").disabled
    assert "learning" in page.error[0].value
    assert fake.asked == []


def test_a_form_starts_one_run_however_often_it_is_pressed(
    open_form: Open, fake: FakeExecutor, store: RunStore
) -> None:
    pages = [open_form(**filled()) for _ in range(2)]
    for page in pages:
        page.button(key="start").click().run()
        assert not page.exception
    [record] = store.list()
    assert [run_id for _, run_id in fake.asked] == [record.run_id] * 2
    assert address_of(pages[0]) == {"run": record.run_id}
    assert record.title == "Incentive training, sentiment on reviews, target=0.5"
    assert record.spec.params["target"] == 0.5


def test_other_settings_make_another_run(open_form: Open, store: RunStore) -> None:
    for seed in (1, 2):
        open_form(**filled(seed=seed)).button(key="start").click().run()
    assert len(store.list()) == 2


def test_a_sweep_starts_a_run_for_each_value_once(open_form: Open, store: RunStore) -> None:
    for _ in range(2):
        page = open_form(**filled(), vary="target", values="0.6, 0.3")
        assert page.button(key="start").label == "Start 2 runs"
        page.button(key="start").click().run()
        assert not page.exception
    assert sorted(record.spec.params["target"] for record in store.list()) == [0.3, 0.6]
    [sweep] = {record.spec.sweep for record in store.list()}
    assert sweep


def test_a_sweep_is_stopped_and_resumed_as_a_whole(
    open_form: Open, open_train: Open, fake: FakeExecutor, store: RunStore
) -> None:
    page = open_form(**filled(), vary="target", values="0.6, 0.3")
    page.button(key="start").click().run()
    ids = {record.run_id for record in store.list()}
    [sweep] = {record.spec.sweep for record in store.list()}
    assert address_of(page) == {"sweep": sweep}
    assert any("2 lost" in text.value for text in page.text)  # nobody works on them
    fake.asked.clear()
    page.button(key="resume-sweep").click().run()
    assert not page.exception
    assert {(what, run_id) for what, run_id in fake.asked} == {("start", run_id) for run_id in ids}
    assert [text.value for text in open_train().text if sweep in text.value] == []


def test_values_that_are_none_are_refused(open_form: Open) -> None:
    for values in ("", "a, b", "0.3, 2"):
        page = open_form(**filled(), vary="target", values=values)
        assert page.button(key="start").disabled
        assert page.error


def test_what_cannot_be_started_leaves_the_form_and_says_why(open_form: Open, fake: FakeExecutor) -> None:
    fake.problem = "The disk is full. Free some room."
    page = open_form(**filled())
    page.button(key="start").click().run()
    assert any("disk is full" in error.value for error in page.error)
    assert "--target-macs 0.5" in page.code[0].value


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_fills_in_a_form_that_can_be_started(open_form: Open, name: str) -> None:
    page = open_form(**filled())
    pills = field(page, "button_group", "preset")
    pills.set_value(name).run()
    assert not page.exception
    assert not page.button(key="start").disabled, [error.value for error in page.error]
    preset = PRESETS[name]
    wanted = "Start" if not preset.values else f"Start {len(preset.values)} runs"
    assert page.button(key="start").label == wanted


@pytest.mark.parametrize("kind", ["incentive", "dense", "prune", "rehearsal"])
def test_every_kind_of_run_has_its_form(open_form: Open, kind: str) -> None:
    page = open_form(**filled())
    field(page, "button_group", "kind").set_value(kind).run()
    assert not page.exception
    assert not page.button(key="start").disabled
    assert address_of(page)["kind"] == kind


def test_duplicating_a_run_fills_in_the_form(open_train: Open, make: Make, store: RunStore) -> None:
    spec = replace(SPEC, params={"task": "reviews", "base": "sentiment", "target": 0.3, "seed": 5})
    parent = make(spec=spec)
    page = open_train()
    page.button(key="run-duplicate").click().run()
    assert "--target-macs 0.3 --seed 5" in page.code[0].value
    field(page, "number_input", "seed").set_value(6).run()
    page.button(key="start").click().run()
    newest = store.list()[0]
    assert (newest.spec.parent_run, newest.spec.params["seed"], newest.title) == (parent, 6, "Mine")


def test_going_back_closes_the_form(open_form: Open, make: Make) -> None:
    make()
    page = open_form(**filled())
    page.button(key="back").click().run()
    assert page.subheader[0].value == "Runs"
    assert "new" not in address_of(page)


BAD_FORMS = [
    {"new": "../../etc"},
    {"new": "0123456789ab", "kind": "<script>"},
    {"new": "0123456789ab", "set": "[1, 2]"},
    {"new": "0123456789ab", "set": "{" * 5000},
    {"new": "0123456789ab", "set": '{"target": "much", "seed": 1e99, "unknown": 1, "task": "-x"}'},
    {"new": "0123456789ab", "vary": "__class__", "values": "1", "from": "../x"},
    {"new": "0123456789ab", "title": "x" * 5000, "set": json.dumps({"base": HOSTILE, "task": HOSTILE})},
]


@pytest.mark.parametrize("params", BAD_FORMS)
def test_an_address_of_anybodys_does_no_harm(open_train: Open, params: dict[str, str], store: RunStore) -> None:
    page = open_train(**params)
    assert not page.exception
    assert not re.search(UNESCAPED, shown_as_markup(page))
    assert store.list() == ()
