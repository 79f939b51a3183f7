"""Every number of the cards, the manifests, README.md and the guide has one source, and that can be measured again."""

import os
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from compecon.checkpoints.bundle import ReportedMetric, read_manifest
from compecon.checkpoints.gate.intake import inspect_checkpoint
from compecon.checkpoints.load import load_of_bundle, size_digest
from compecon.errors import CompeconError, TaskError
from compecon.evaluation.at_budgets import measured
from compecon.evaluation.evaluation_records import EvaluationStore
from compecon.evaluation.row_store import StatisticsStore
from compecon.paths import assets
from compecon.studies.build_bundle import NAMES
from compecon.studies.bundled_card import FACTS, metric_tables
from compecon.studies.shipped import SHEETS, bundled_in, keys_of, parent_of, sized, write_evaluations
from compecon.studies.shipped_cards import card_metrics
from compecon.studies.shipped_tables import numbers_in, texts_with_numbers, with_numbers
from compecon.tasks.rows_fingerprint import rows_digest
from compecon.tasks.task_metrics import Estimate
from compecon.tasks.task_registry import check_folder, entry_of, read_task

ROOT = assets() / "checkpoints"
REPOSITORY = Path(__file__).resolve().parents[2]
CLOSE = 0.002  # processors round differently: a few rows of some thousand


@pytest.fixture(scope="module")
def digests():
    """Of every checkpoint, and of every size of the elastic ones, by the name that measurements give it."""
    found = {}
    for name in NAMES:
        digest = inspect_checkpoint(ROOT / name, trusted_root=ROOT).digest
        sizes = read_manifest(ROOT / name).get("training", {}).get("sizes", [{"budget": 1.0}])
        found |= {
            sized(name, size["budget"]): digest if size["budget"] == 1 else size_digest(digest, size["budget"])
            for size in sizes
        }
    return found


@pytest.fixture(scope="module")
def data():
    """The folder with the texts, which are not bundled: COMPECON_DATA, or `shared/data` beside the repository."""
    given = os.environ.get("COMPECON_DATA", "")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("set COMPECON_DATA to a folder with the texts to measure the bundle again")
    return folder


def of(name):
    return [record for record in EvaluationStore().all() if record.checkpoint == name]


def sizes_of(manifest):
    return manifest.get("training", {}).get("sizes", [])


def metrics_of(name, budget):
    """What was measured of a size on the test rows of its task, all keys first."""
    sheet = SHEETS[parent_of(name)][0]
    found = [one for one in of(sized(name, budget)) if (one.key.task, one.key.split) == (sheet.shown_task, sheet.split)]
    found.sort(key=lambda one: (one.key.keys is not None, -(one.key.keys or 0)))
    at = ["" if one.key.keys is None else f" at {one.key.keys} key{'s' * (one.key.keys > 1)}" for one in found]
    return [
        {"name": f"{one.metric}{where}", "split": "test", **asdict(one.score)}
        for one, where in zip(found, at, strict=True)
        if one.score.value == one.score.value
    ]


def test_there_is_a_sheet_for_every_checkpoint():
    assert set(bundled_in(assets())) == set(NAMES)
    assert {parent_of(name) for name in NAMES} == set(SHEETS) == set(FACTS)


def test_every_measurement_is_of_the_weights_that_are_shipped(digests):
    assert {record.checkpoint: record.key.digest for record in EvaluationStore().all()} == digests
    assert all(record.key.digest == digests[record.checkpoint] for record in EvaluationStore().all())


def test_every_statistic_is_of_the_weights_that_are_shipped(digests):
    bundled = [found for found in StatisticsStore(None).all() if found.checkpoint in digests]
    assert bundled
    assert all(found.key.digest == digests[found.checkpoint] for found in bundled)


def test_everything_on_the_sheets_was_measured(digests):
    made = {(one.checkpoint, one.key.task, one.key.split, one.key.keys) for one in EvaluationStore().all()}
    wanted = {
        (name, key.task, key.split, key.keys)
        for name in digests
        for sheet in SHEETS[parent_of(name)]
        if sheet.known or name in NAMES
        for key in keys_of(sheet, name, digests[name], "", sheet.shown_task)
    }
    assert wanted - made == set()


def test_cards_and_manifests_say_what_was_measured_and_what_a_checkpoint_cannot_do():
    wrong = {}
    for name in NAMES:
        known, beyond = card_metrics(name, of(name))
        manifest, card = read_manifest(ROOT / name), (ROOT / name / "README.md").read_text(encoding="utf-8")
        table_rows = [line for line in card.splitlines() if line.startswith("| ") and line.count("|") == 5]
        checks = {
            "metrics": [ReportedMetric(**metric) for metric in manifest["metrics"]] == known,
            "tables": "\n\n".join(metric_tables(known, beyond)) in card,
            "other data": bool(beyond) == (parent_of(name) != "causal"),
            "no other number, and the heads": len(table_rows) == len(known) + len(beyond) + 1 + bool(beyond),
            "sizes": all(size["metrics"] == metrics_of(name, size["budget"]) for size in sizes_of(manifest)),
            "limits": manifest["limits"] == FACTS[parent_of(name)].limits and manifest["limits"] in card,
        }
        wrong |= {f"{name}: {what}": False for what, holds in checks.items() if not holds}
    assert wrong == {}


def test_readme_and_guide_say_what_was_measured():
    texts = {path: path.read_text(encoding="utf-8") for path in texts_with_numbers(assets())}
    tables = numbers_in(assets())
    assert {name: with_numbers(text, tables) for name, text in texts.items()} == texts
    shown = [name for text in texts.values() for name in re.findall(r"<!-- numbers: (\w+) -->", text)]
    assert sorted(shown) == sorted(tables), "every table stands in one text"
    assert all(tables.values())


def test_a_number_that_is_not_that_of_its_source_is_replaced():
    text = "a\n<!-- numbers: t -->\n| x |\n|---|\n| old |\n<!-- end -->\nb"
    assert with_numbers(text, {"t": ["| new |", "| 2 |"]}) == text.replace("| old |", "| new |\n| 2 |")
    with pytest.raises(KeyError):
        with_numbers(text, {})


def test_a_checkpoint_that_was_not_measured_is_told_with_the_command():
    with pytest.raises(CompeconError, match="compecon remeasure"):
        card_metrics("sentiment", of("similarity"))


def test_measurements_are_written_in_an_order_of_their_own(tmp_path):
    records = EvaluationStore().all()
    write_evaluations(tmp_path / "one.jsonl", records)
    write_evaluations(tmp_path / "two.jsonl", records[::-1])
    shipped = assets() / "evaluations.jsonl"
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes() == shipped.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "task", "keys"),
    [
        ("sentiment", "sst2", 2),
        ("sentiment-elastic", "sst2", 2),
        ("sentiment-elastic at 0.1", "sst2", None),
        ("sentiment-45-taylor", "amazon-snippets", None),
        ("similarity-elastic", "stsb", 1),
        ("similarity", "sick-relatedness", None),
        ("entailment", "xnli/en", 1),
    ],
)
def test_what_is_said_can_be_measured_again(name, task, keys, data):
    [said] = [one for one in of(name) if one.key.task == task and one.key.keys == keys]
    try:
        check_folder(entry_of(task), data)
    except TaskError as error:
        pytest.skip(str(error))
    found = read_task(task, data)
    assert rows_digest(found.part(said.key.split)) == said.key.rows_digest
    whole, _, size = name.partition(" at ")
    checkpoint = load_of_bundle(ROOT / whole)
    again = measured(checkpoint.at(float(size)) if size else checkpoint, found, said.key)
    assert again.metrics.keys() == said.metrics.keys()
    for metric, score in again.metrics.items():
        assert isinstance(score, Estimate)
        assert score.n == said.metrics[metric].n
        assert score.value == pytest.approx(said.metrics[metric].value, abs=CLOSE)
