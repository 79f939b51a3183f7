"""Which checkpoints go together, and the table of several: plain data, compared as such."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.locate import bundled_names
from compecon.compression.model_shape import ModelShape
from compecon.flops import macs
from compecon.views.compare.card_rows import N_TOKENS, card_rows
from compecon.views.compare.checkpoint_table import (
    UNKNOWN,
    CompareTable,
    TableRow,
    compare_table,
    shown_rows,
    table_csv,
    table_of_task,
)
from compecon.views.compare.pair import first_pair, pair_notes, pair_problem, parent_of, partner

CATALOG = {entry.name: entry for entry in list_checkpoints() if entry.origin == "bundled"}
needs_bundle = pytest.mark.skipif("sentiment-45-taylor" not in CATALOG, reason="the family is not bundled")
BROKEN = CheckpointEntry("broken", Path("/x/broken"), "local", "Broken", "", "", None, "It has no weights.")
TEXT = "Not bad at all."


@pytest.fixture
def entry(folder_of: Callable[[str], Path]) -> Callable[[str], CheckpointEntry]:
    """A catalog's line for a tiny checkpoint of a kind."""

    def of(kind: str) -> CheckpointEntry:
        return next(e for e in list_checkpoints([folder_of(kind)]) if e.path == folder_of(kind))

    return of


# ---- which two


@needs_bundle
def test_the_dense_model_and_its_child_come_first() -> None:
    assert first_pair(CATALOG) == ("sentiment", "sentiment-elastic")
    assert partner("sentiment", CATALOG) == "sentiment-elastic"
    assert partner("similarity-45-taylor", CATALOG).startswith("similarity")


def test_without_them_the_first_that_go_together_do(entry: Callable[[str], CheckpointEntry]) -> None:
    found = {kind: entry(kind) for kind in ("classification", "causal-lm", "masked-lm")}
    assert first_pair({"broken": BROKEN, **found})[0] == "classification"
    twin = replace(found["causal-lm"], name="twin", path=Path("/x/twin"))
    assert partner("causal-lm", {**found, "twin": twin}) == "twin"


def test_one_checkpoint_or_none_has_no_partner(entry: Callable[[str], CheckpointEntry]) -> None:
    assert first_pair({}) == ("", "")
    assert first_pair({"one": entry("classification"), "broken": BROKEN}) == ("one", "")


def test_a_pair_that_can_be_compared_has_no_problem(entry: Callable[[str], CheckpointEntry]) -> None:
    assert pair_problem(entry("classification"), entry("causal-lm"), TEXT, "") is None


@pytest.mark.parametrize(
    ("a", "b", "text", "pair", "says"),
    [
        (None, None, TEXT, "", "no checkpoint"),
        ("classification", None, TEXT, "", "one checkpoint"),
        ("classification", "classification", TEXT, "", "same checkpoint"),
        ("classification", "causal-lm", TEXT, "And more.", "B, causal-lm: "),
        ("classification", "regression", "  ", "", "empty"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(
    entry: Callable[[str], CheckpointEntry], a: str | None, b: str | None, text: str, pair: str, says: str
) -> None:
    one, other = (None if kind is None else entry(kind) for kind in (a, b))
    assert says in (pair_problem(one, other, text, pair) or "")


def test_an_elastic_checkpoint_can_be_compared_with_itself(entry: Callable[[str], CheckpointEntry]) -> None:
    one = entry("classification")
    assert one.preflight is not None
    every_size = replace(one, preflight=replace(one.preflight, elastic=True))
    assert pair_problem(every_size, every_size, TEXT, "") is None
    [note] = pair_notes(every_size, every_size)
    assert "same checkpoint" in note


def test_a_broken_side_is_named(entry: Callable[[str], CheckpointEntry]) -> None:
    assert pair_problem(entry("classification"), BROKEN, TEXT, "") == "B, Broken: It has no weights."


def test_what_differs_in_shape_and_task_is_noted(entry: Callable[[str], CheckpointEntry]) -> None:
    a = replace(entry("classification"), task="sentiment")
    b = replace(a, path=Path("/x/other"))
    assert pair_notes(a, b) == ()
    assert b.preflight is not None
    deeper = replace(b, task="topics", preflight=replace(b.preflight, layers=5, heads=3))
    task, layers, heads = pair_notes(a, deeper)
    assert "A was made for sentiment, B for topics" in task
    assert "A has 2 layers, B 5: layers are paired by relative depth" in layers
    assert "A has 2 heads per layer, B 3" in heads
    assert pair_notes(a, BROKEN) == ()


@pytest.mark.parametrize(
    ("params", "parent"),
    [({"base": "sentiment"}, "sentiment"), ({"checkpoint": "/x"}, "/x"), ({}, ""), ({"base": 3}, "")],
)
def test_the_parent_of_a_run_is_what_it_began_with(params: dict[str, object], parent: str) -> None:
    assert parent_of(params) == parent


# ---- the table


@needs_bundle
def test_a_card_tells_what_the_checkpoint_and_its_record_say() -> None:
    rows, record = (
        card_rows(CATALOG["sentiment-45-taylor"]),
        json.loads((CATALOG["sentiment-45-taylor"].path / "compecon.json").read_text()),
    )
    training = record["training"]
    assert rows["parameters"] == f"{CATALOG['sentiment-45-taylor'].preflight.parameters / 1e6:.2f} M"  # type: ignore[union-attr]
    assert rows["heads kept"].endswith(" of 36")
    measured = record["metrics"][0]
    assert rows["accuracy, test (measured)"].startswith(f"{measured['value']:.3f} ({measured['low']:.3f} to ")
    assert rows["accuracy, test (measured)"].endswith(f", {measured['n']:,} rows")
    [share] = [cell for name, cell in rows.items() if name.startswith("share of the dense model's MACs")]
    assert share.endswith(f"({training['macs'] / 1e6:.1f} of {training['dense_macs'] / 1e6:.1f} M)")
    assert rows["made from"] == "sentiment"
    assert rows["target share"] == f"{training['target']:g}"
    assert rows["setting: learning rate"] == f"{training['settings']['learning_rate']:g}"


def counted_macs(name: str) -> str:
    return f"{macs(ModelShape.from_model(load_checkpoint(name, 'cpu').model), N_TOKENS).total / 1e6:.1f} M"


def test_macs_in_the_table_are_those_of_the_loaded_model() -> None:
    stated = {name: card_rows(CATALOG[name])[f"MACs, {N_TOKENS} tokens (counted)"] for name in bundled_names()}
    assert stated == {name: counted_macs(name) for name in bundled_names()}


@needs_bundle
def test_a_table_has_a_column_for_each_and_a_row_for_each_property() -> None:
    entries = [CATALOG["sentiment"], BROKEN, CATALOG["sentiment-45-taylor"]]
    table = compare_table(entries)
    assert table.columns == (CATALOG["sentiment"].title, CATALOG["sentiment-45-taylor"].title)
    assert table.left_out == (("Broken", "It has no weights."),)
    rows = {row.name: row for row in table.rows}
    assert rows["layers"] == TableRow("layers", ("3", "3"))
    assert rows["made from"] == TableRow("made from", (UNKNOWN, "sentiment"))
    assert (rows["layers"].differs, rows["made from"].differs) == (False, True)


def test_a_folder_without_a_record_and_one_with_nonsense_in_it_have_a_card(
    entry: Callable[[str], CheckpointEntry], tmp_path: Path
) -> None:
    assert card_rows(entry("causal-lm"))["layers"] == "2"
    assert card_rows(BROKEN) == {"problem": "It has no weights."}
    nonsense = tmp_path / "nonsense"
    nonsense.mkdir()
    (nonsense / "config.json").write_text("[")
    record = {
        "schema": 1,
        "metrics": [{"name": 3, "value": "high"}, 7],
        "training": {"seed": [1, {"x": 2}], "settings": 3},
    }
    (nonsense / "compecon.json").write_text(json.dumps(record))
    rows = card_rows(replace(entry("causal-lm"), path=nonsense))
    assert rows["seed"] == "1"
    assert not any("MACs" in name for name in rows)


def test_two_of_one_title_are_told_apart(entry: Callable[[str], CheckpointEntry]) -> None:
    one = replace(entry("causal-lm"), title="Same")
    twins = [one, replace(one, path=one.path), replace(entry("masked-lm"), title="Same")]
    columns = compare_table(twins).columns
    assert len(set(columns)) == 3
    assert all(title.startswith("Same (") for title in columns)


def test_more_than_six_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 6 checkpoints, got 7"):
        compare_table([BROKEN] * 7)


@needs_bundle
def test_nobodys_choice_is_the_pair_and_others_of_its_task() -> None:
    names = table_of_task("similarity-45-taylor", "sentiment", CATALOG)
    assert names[:2] == ("similarity-45-taylor", "sentiment")
    of_task = [name for name, entry in CATALOG.items() if entry.task == "similarity"]
    assert sorted(names) == sorted({"sentiment", *of_task})
    assert all(CATALOG[name].task == CATALOG["similarity-45-taylor"].task for name in names[2:])
    assert table_of_task("gone", "sentiment", CATALOG) == ("sentiment",)


TABLE = CompareTable(
    ("one", "two"),
    (TableRow("layers", ("3", "3")), TableRow("Made by", ("—", "=Taylor"))),
    (),
)


@pytest.mark.parametrize(
    ("only", "sought", "names"),
    [
        (False, "", ["layers", "Made by"]),
        (True, "", ["Made by"]),
        (False, " LAYER ", ["layers"]),
        (False, "taylor", ["Made by"]),
        (True, "layers", []),
    ],
)
def test_rows_are_searched_and_left_out(only: bool, sought: str, names: list[str]) -> None:
    assert [row.name for row in shown_rows(TABLE, differences_only=only, sought=sought)] == names


def test_one_checkpoint_alone_shows_everything() -> None:
    alone = CompareTable(("one",), (TableRow("layers", ("3",)),), ())
    assert shown_rows(alone, differences_only=True) == alone.rows


def test_a_csv_has_every_cell_and_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(table_csv(TABLE, TABLE.rows))))
    assert rows == [["", "one", "two"], ["layers", "3", "3"], ["Made by", "—", "'=Taylor"]]
