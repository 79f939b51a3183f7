"""Two checkpoints on the same rows, against loops over resamples, rows and heads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from compecon.errors import TaskError
from compecon.evaluation.row_records import RowStatistics, StatisticsKey
from compecon.stats.intervals import RESAMPLES
from compecon.tasks import task_metrics as metrics
from compecon.tasks.rows_fingerprint import rows_digest
from compecon.tasks.task import Split
from compecon.tasks.task_registry import read_task
from compecon.views.compare.dataset_text import headline, level_rows, levels_csv, selection_rows, shown, view_json
from compecon.views.compare.paired_rows import dataset_problem, dataset_view
from compecon.views.compare.resamples import Band, band, correlations, mean_bands
from compecon.views.compare.row_sets import row_sets, texts_of
from compecon.views.compare.telling_rows import LISTED, LISTS, listed_rows

N = 30
Make = Callable[..., RowStatistics]
ALL = np.ones((2, 3), dtype=bool)


def made(seed: int = 0, kept: np.ndarray = ALL, n: int = N, *, is_score: bool = False, **more: Any) -> RowStatistics:
    """Random statistics of rows that fit together, as a run would have measured them."""
    dice = np.random.default_rng(seed)
    targets = np.random.default_rng(99)
    cells = np.where(kept, dice.uniform(0, 1, (2, 3, n, *kept.shape)), np.nan)  # statistic, budget, row, layer, head
    gini, entropy = np.nanmean(cells, axis=(3, 4))
    said = dice.uniform(0, 5, (3, n)) if is_score else dice.integers(0, 2, (3, n)).astype(float)
    wanted = targets.uniform(0, 5, n) if is_score else targets.integers(0, 2, n).astype(float)
    key = {"digest": f"{seed:012x}", "task": "rule", "split": "test", "n_rows": n, "rows_digest": "abc"}
    key |= {
        name: more.pop(name) for name in list(more) if name in ("task", "split", "rows_digest", "max_tokens", "digest")
    }
    given: dict[str, Any] = {
        "key": StatisticsKey(**{"budgets": more.pop("budgets", (4, 1)), **key}),
        "checkpoint": f"model-{seed}",
        "labels": ("score",) if is_score else ("no", "yes"),
        "metric": "spearman" if is_score else "accuracy",
        "is_score": is_score,
        "rows": tuple(range(100, 100 + n)),
        "n_tokens": tuple(range(3, 3 + n)),
        "targets": wanted,
        "gini": gini,
        "entropy": entropy,
        "predictions": said,
        "head_gini": cells[0].mean(axis=1),
        "head_entropy": cells[1].mean(axis=1),
        "cell_gini": cells[0, 0],
        "cell_entropy": cells[1, 0],
        "hardware": {},
        "versions": {},
        "measured_at": 1.0,
    }
    return RowStatistics(**{**given, **more})


def resamples(n: int) -> list[np.ndarray]:
    """The rows of each resample, one by one."""
    return list(np.random.default_rng(0).integers(0, n, (RESAMPLES, n)))


def by_loops(of_rows: Callable[[np.ndarray], float], n: int = N) -> Band:
    drawn = [of_rows(rows) for rows in resamples(n)]
    low, high = np.percentile([x for x in drawn if np.isfinite(x)], (2.5, 97.5))
    return Band(of_rows(np.arange(n)), float(low), float(high))


def close(found: Band, expected: Band) -> bool:
    return (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-9
    )


# ---- resamples


def test_bands_of_means_are_those_of_loops() -> None:
    table = np.random.default_rng(1).normal(size=(N, 3))
    for found, column in zip(mean_bands(table), table.T, strict=True):
        assert close(found, by_loops(lambda rows, column=column: float(column[rows].mean())))


@pytest.mark.parametrize("of_ranks", [True, False])
def test_correlations_are_those_of_scipy_on_each_resample(of_ranks: bool) -> None:
    dice = np.random.default_rng(2)
    x = dice.integers(0, 6, 15).astype(float)  # with ties
    y = x + dice.normal(size=15)
    value, drawn = correlations(x, y, of_ranks=of_ranks)
    slow = stats.spearmanr if of_ranks else stats.pearsonr
    assert value == pytest.approx(slow(x, y).statistic)
    for rows, found in list(zip(resamples(15), drawn, strict=True))[:200]:
        assert found == pytest.approx(slow(x[rows], y[rows]).statistic)


def test_a_constant_side_has_no_correlation() -> None:
    value, drawn = correlations(np.ones(5), np.arange(5.0), of_ranks=True)
    assert np.isnan(value)
    assert np.isnan(drawn).all()
    assert band(value, drawn) == Band(None)


# ---- levels


@pytest.mark.slow
@pytest.mark.parametrize("is_score", [False, True])
def test_every_level_has_both_and_their_paired_difference(is_score: bool) -> None:
    a, b = made(1, is_score=is_score), made(2, is_score=is_score)
    view = dataset_view(a, b)
    assert [level.keys for level in view.levels] == [None, 4, 1]

    def quality(one: RowStatistics, place: int, rows: np.ndarray) -> float:
        metric = metrics.spearman if is_score else metrics.accuracy
        return float(metric.statistic(one.predictions[place][rows], one.targets[rows]))

    for place, level in enumerate(view.levels):
        for name in ("gini", "entropy"):
            one, other = getattr(a, name)[place], getattr(b, name)[place]
            sides = getattr(level, name)
            assert close(sides.a, by_loops(lambda rows, one=one: float(one[rows].mean())))
            assert close(sides.b, by_loops(lambda rows, other=other: float(other[rows].mean())))
            apart = by_loops(lambda rows, one=one, other=other: float(one[rows].mean() - other[rows].mean()))
            assert close(sides.difference, apart)
        assert close(level.quality.a, by_loops(lambda rows, place=place: quality(a, place, rows)))
        assert close(level.quality.b, by_loops(lambda rows, place=place: quality(b, place, rows)))
        apart = by_loops(lambda rows, place=place: quality(a, place, rows) - quality(b, place, rows))
        assert close(level.quality.difference, apart)


@pytest.mark.parametrize("metric", ["matthews", "f1"])
def test_other_metrics_are_those_of_the_task(metric: str) -> None:
    a, b = made(1, metric=metric), made(2, metric=metric)
    sides = dataset_view(a, b).levels[0].quality
    same = {"matthews": metrics.matthews, "f1": metrics.f1}[metric]
    whole = same(a.predictions[0], a.targets)
    assert sides.a == Band(whole.value, whole.low, whole.high)
    apart = metrics.paired(same, b.predictions[0], a.predictions[0], a.targets)
    assert sides.difference == Band(apart.value, apart.low, apart.high)


def test_of_an_unknown_metric_what_is_right_is_counted() -> None:
    a = made(1, metric="luck")
    view = dataset_view(a, made(2, metric="luck"))
    assert view.metric == "share right"
    assert view.levels[0].quality.a.value == pytest.approx(float((a.predictions[0] == a.targets).mean()))


def test_a_checkpoint_and_itself_differ_in_nothing() -> None:
    view = dataset_view(made(1), made(1))
    for level in view.levels:
        assert level.gini.difference == level.entropy.difference == level.quality.difference == Band(0.0, 0.0, 0.0)
    assert view.n_disagree == 0
    assert [each.selected for each in view.selection] == [None, None]
    assert all(head.gini == Band(0.0, 0.0, 0.0) for head in view.heads)
    [note] = view.notes
    assert "same checkpoint" in note


# ---- heads


KEPT = np.array([[True, False, True], [False, False, True]])


@pytest.mark.parametrize(("place", "name"), [(0, "gini"), (1, "entropy")])
def test_selection_is_what_surviving_heads_had_already(place: int, name: str) -> None:
    a, b = made(1), made(2, KEPT)
    found = dataset_view(a, b).selection[place]
    cells = getattr(a, f"cell_{name}")
    kept = np.array([np.mean([cells[row][0][0], cells[row][0][2], cells[row][1][2]]) for row in range(N)])
    everything, other = getattr(a, name)[0], getattr(b, name)[0]
    assert found.statistic == name
    assert close(found.everything, by_loops(lambda rows: float(everything[rows].mean())))
    assert close(found.survivors, by_loops(lambda rows: float(kept[rows].mean())))
    assert close(found.other, by_loops(lambda rows: float(other[rows].mean())))

    def share(rows: np.ndarray) -> float:  # the formula of the survivor control
        return float((kept[rows].mean() - everything[rows].mean()) / (other[rows].mean() - everything[rows].mean()))

    expected = by_loops(share)
    assert found.selected is not None
    assert found.selected.value == pytest.approx(expected.value)
    shift = by_loops(lambda rows: float(other[rows].mean() - everything[rows].mean()))
    if shift.excludes_zero:
        assert close(found.selected, expected)
    else:
        assert (found.selected.low, found.selected.high) == (None, None)


def test_a_share_of_a_clear_difference_has_an_interval() -> None:
    a = made(1)
    b = made(2, KEPT)
    b = replace(b, gini=b.gini + 5)
    selected = dataset_view(a, b).selection[0].selected
    assert selected is not None
    assert selected.low is not None
    assert selected.high is not None
    assert selected.low <= float(selected.value or 0) <= selected.high


def test_where_all_heads_survive_nothing_is_selection() -> None:
    found = dataset_view(made(1), made(2)).selection[0]
    assert found.survivors == found.everything
    assert found.selected is not None
    assert found.selected.value == 0.0


def test_heads_that_one_lacks_have_no_difference() -> None:
    a, b = made(1), made(2, KEPT)
    heads = {(each.layer, each.head): each for each in dataset_view(a, b).heads}
    assert sorted(heads) == [(layer, head) for layer in range(2) for head in range(3)]
    for (layer, head), each in heads.items():
        assert each.gini_a == float(a.head_gini[0, layer, head])
        if not KEPT[layer, head]:
            assert (each.gini_b, each.gini, each.entropy) == (None, Band(None), Band(None))
            continue
        one, other = a.cell_entropy[:, layer, head], b.cell_entropy[:, layer, head]
        apart = by_loops(lambda rows, one=one, other=other: float(one[rows].mean() - other[rows].mean()))
        assert close(each.entropy, apart)


def test_heads_of_different_shapes_are_not_matched() -> None:
    view = dataset_view(made(1), made(2, np.ones((1, 4), dtype=bool)))
    assert (view.heads, view.selection) == ((), ())
    assert "2 layers of 3 and 1 layers of 4 heads" in view.notes[0]


def test_no_surviving_head_leaves_no_share() -> None:
    view = dataset_view(made(1, KEPT), made(2, ~KEPT))
    assert view.selection[0].survivors == Band(None)
    assert view.selection[0].selected is None
    assert all(each.gini == Band(None) for each in view.heads)


def test_other_tokenizers_are_told() -> None:
    [note] = dataset_view(made(1), made(2, n_tokens=tuple(range(5, 5 + N)))).notes
    assert "tokenizers" in note


# ---- rows


def flips_by_hand(one: RowStatistics, place: int, far: float) -> int:
    first = one.predictions[0][place]
    changed = [k for k, said in zip((4, 1), one.predictions[1:, place], strict=True) if abs(said - first) > far]
    return changed[0] if changed else 0


@pytest.mark.parametrize("is_score", [False, True])
def test_lists_are_in_their_orders(is_score: bool) -> None:
    a, b = made(1, is_score=is_score), made(2, is_score=is_score)
    far = 0.5 if is_score else 0
    texts = [(f"text {row}", f"pair {row}") for row in range(N)]
    found = {which: listed_rows(a, b, which, texts) for which in LISTS}
    for side, one in (("a", a), ("b", b)):
        gini = [float(x) for x in one.gini[0]]
        assert [getattr(row, f"gini_{side}") for row in found[f"most-{side}"]] == sorted(gini, reverse=True)[:LISTED]
        assert [getattr(row, f"gini_{side}") for row in found[f"least-{side}"]] == sorted(gini)[:LISTED]
        flips = [flips_by_hand(one, place, far) for place in range(N)]
        expected = sorted([flip for flip in flips if flip], reverse=True)[:LISTED]
        assert [getattr(row, f"flip_{side}") for row in found[f"flip-{side}"]] == expected
        for row in found[f"flip-{side}"]:
            assert getattr(row, f"flip_{side}") == flips[row.row - 100]
    apart = np.abs(a.predictions[0] - b.predictions[0])
    assert {row.row - 100 for row in found["disagree"]} <= {int(place) for place in np.flatnonzero(apart > far)}
    assert len(found["disagree"]) == min(LISTED, int((apart > far).sum()))
    for rows in found.values():
        for row in rows:
            assert (row.text, row.pair) == texts[row.row - 100]
            assert row.tokens == a.n_tokens[row.row - 100]


def test_what_is_said_is_told_in_the_words_of_the_task() -> None:
    a, b = made(1), made(2)
    row = listed_rows(a, b, "most-a")[0]
    place = row.row - 100
    said = [a.labels[int(x)] for x in (a.targets[place], a.predictions[0, place], b.predictions[0, place])]
    assert [row.target, row.said_a, row.said_b] == said
    assert (row.text, row.pair) == ("", "")
    scores = listed_rows(made(1, is_score=True), made(2, is_score=True), "most-a")[0]
    assert float(scores.said_a) == pytest.approx(made(1, is_score=True).predictions[0, scores.row - 100], abs=0.005)


# ---- refusals


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"task": "stsb"}, "on rule, B on stsb"),
        ({"split": "dev"}, "on rule test, B on dev"),
        ({"labels": ("yes", "no")}, "has the classes no, yes, B yes, no."),
        ({"rows_digest": "xyz"}, "the rows differ"),
        ({"n": 20}, "30 rows and B on 20"),
        ({"rows": tuple(range(N))}, "the rows differ"),
        ({"budgets": (8, 4)}, "4, 1 keys, B at 8, 4"),
        ({"max_tokens": 64}, "at most 128 tokens per text, B 64"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(other: dict[str, Any], said: str) -> None:
    a, b = made(1), made(2, **other)
    assert said in dataset_problem(a, b)
    with pytest.raises(ValueError, match="A "):
        dataset_view(a, b)


def test_what_can_be_compared_has_no_problem() -> None:
    assert dataset_problem(made(1), made(2, KEPT)) == ""


# ---- which rows are at hand, and their texts


def test_rows_of_both_come_first() -> None:
    one, other = made(1), made(2)
    more = [made(1, task="made (synthetic)"), made(2, task="made (synthetic)"), made(1, task="cola"), made(3)]
    sets = row_sets([*more, one, other], one.key.digest, other.key.digest)
    assert [each.title for each in sets] == [
        "rule · test · 30 rows",
        "made (synthetic) · test · 30 rows",
        "cola · test · 30 rows",
    ]
    assert sets[0].both == (one, other)
    assert (sets[2].a, sets[2].b, sets[2].both) == (more[2], None, None)
    assert len({each.name for each in sets}) == 3
    assert row_sets([made(3)], "a", "b") == ()
    [same] = row_sets([one], one.key.digest, one.key.digest)
    assert same.both == (one, one)


def test_texts_are_read_if_they_are_those_that_were_measured(tmp_path: Path) -> None:
    folder = tmp_path / "cola"
    folder.mkdir()
    for name in ("in_domain_train", "in_domain_dev", "out_of_domain_dev"):
        lines = [f"x\t{i % 2}\t\tThe {name} sentence {i} ." for i in range(40)]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    task = read_task("cola", tmp_path)
    split = task.reported[0]
    part = task.part(split)
    rows = (5, 2, 9)
    few = Split(tuple(part.texts[row] for row in rows), (), part.targets[list(rows)])
    found = made(1, n=3, rows=rows, task="cola", split=split, rows_digest=rows_digest(few))
    assert texts_of(found, tmp_path) == tuple((part.texts[row], "") for row in rows)
    with pytest.raises(TaskError, match="not the measured ones"):
        texts_of(replace(found, rows=(5, 2, 8)), tmp_path)
    with pytest.raises(TaskError, match="only"):
        texts_of(replace(found, rows=(5, 2, 8000)), tmp_path)


# ---- words and files


def test_numbers_are_told_with_their_intervals() -> None:
    assert shown(Band(0.5, 0.25, 0.75), 2) == "0.50 [0.25, 0.75]"
    assert shown(Band(-0.5, -0.75, 0.25), 2, signed=True) == "−0.50 [−0.75, +0.25]"
    assert shown(Band(1.0), 1) == "1.0"
    assert shown(Band(None)) == "–"


def test_what_is_not_told_apart_is_called_so() -> None:
    same, apart = dataset_view(made(1), made(1)), dataset_view(made(1), replace(made(2), gini=made(2).gini + 5))
    assert "no clear difference" in headline(same)[0]
    assert "], a clear difference." in headline(apart)[0]
    assert f"{apart.n_disagree} of 30 rows" in headline(apart)[1]
    assert headline(same)[2].startswith("With 1 key per query, accuracy of A is")


def test_the_selection_table_says_when_there_is_nothing_to_share() -> None:
    rows = selection_rows(dataset_view(made(1), made(1)))
    assert len(rows) == 4
    assert rows[-1][1:] == ("nothing differs", "nothing differs")


def test_the_files_hold_every_number() -> None:
    view = dataset_view(made(1), made(2, KEPT))
    lines = list(csv.DictReader(io.StringIO(levels_csv(view))))
    assert len(lines) == len(level_rows(view)) == 3 * 3 * 3
    assert lines[0]["keys"] == "all"
    assert float(lines[0]["value"]) == view.levels[0].gini.a.value
    read = json.loads(view_json(view))
    assert read["levels"][2]["keys"] == 1
    assert read["heads"][1]["gini_b"] is None
    assert read["selection"][0]["everything"]["value"] == view.selection[0].everything.value
