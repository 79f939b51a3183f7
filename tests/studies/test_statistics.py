"""Statistics of rows against plain loops: one text at a time, one query at a time, with the single functions."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
    PreTrainedTokenizerFast,
)

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.recorded import LayerAttention
from compecon.callbacks import Callbacks, StepCallbacks
from compecon.checkpoints.checkpoint_fingerprint import digest_of
from compecon.checkpoints.load import load_checkpoint
from compecon.compression.compact_model import compact, kept_heads
from compecon.compression.units import Units
from compecon.errors import TaskError, TrainingInterruptedError
from compecon.evaluation.row_inequality import row_inequality
from compecon.evaluation.row_packing import packed, unpacked
from compecon.evaluation.row_records import RowStatistics
from compecon.evaluation.row_statistics import gather_statistics
from compecon.evaluation.row_store import SHOWN_ROWS, StatisticsStore, write_statistics
from compecon.paths import assets
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.run_paths import RunPaths
from compecon.stats import inequality as metrics
from compecon.studies.survivors import inequality
from compecon.tasks.encode_rows import encode
from compecon.tasks.readers.made_reviews import SHOWN
from compecon.tasks.rows import chosen_rows
from compecon.tasks.task_registry import read_task
from tests.support.tokenizers import LOADER, in_this_process

WORDS = [f"w{i}" for i in range(20)]
BUDGETS = [3, 1]
LEVELS = [None, *BUDGETS]


def words() -> PreTrainedTokenizerFast:
    core = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, **{w: i + 2 for i, w in enumerate(WORDS)}}, "[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "model_input_names": ["input_ids", "attention_mask"]}
    return PreTrainedTokenizerFast(tokenizer_object=core, **names)


def bert(**more: object) -> BertForSequenceClassification:
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
    named = {"id2label": {0: "no", 1: "yes"}, "label2id": {"no": 0, "yes": 1}}
    torch.manual_seed(0)
    return BertForSequenceClassification(
        BertConfig(vocab_size=22, max_position_embeddings=16, initializer_range=0.9, **{**sizes, **named, **more})
    ).eval()


def compacted() -> BertForSequenceClassification:
    """Without two heads of the first layer and three of the second."""
    heads = (torch.tensor([1.0, 0.0, 1.0, 0.0]), torch.tensor([0.0, 0.0, 0.0, 1.0]))
    return compact(bert(), Units(heads, (torch.ones(24), torch.ones(24)))).eval()


def gpt2() -> GPT2ForSequenceClassification:
    torch.manual_seed(0)
    sizes = {"vocab_size": 22, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 24, "n_positions": 16}
    named = {"id2label": {0: "no", 1: "yes"}, "label2id": {"no": 0, "yes": 1}}
    return GPT2ForSequenceClassification(
        GPT2Config(**sizes, **named, pad_token_id=0, bos_token_id=1, eos_token_id=1, initializer_range=0.9)
    ).eval()


MODELS = {"BERT": bert, "compacted BERT": compacted, "GPT-2": gpt2}


@pytest.fixture(scope="module", autouse=True)
def _tokenizers_are_trusted() -> Iterator[None]:
    """A tokenizer of unknown origin is tried in a process of its own, which takes seconds; these are our own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LOADER, in_this_process)
        yield


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("rule")
    dice = torch.Generator().manual_seed(0)
    for name, n_rows in (("train", 8), ("dev", 12), ("test", 40)):
        rows = [torch.randint(0, 20, (3 + i % 6,), generator=dice).tolist() for i in range(n_rows)]
        lines = [f"{' '.join(WORDS[i] for i in row)},{'yes' if row[0] < 10 else 'no'}" for row in rows]
        (folder / f"{name}.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    return f"files:{folder}"


@pytest.fixture(scope="module", params=MODELS)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(MODELS[request.param](), tmp_path_factory.mktemp("model") / "small")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(bert(), tmp_path_factory.mktemp("plain") / "dense")


def saved(model: torch.nn.Module, folder: Path) -> Path:
    model.save_pretrained(folder)  # type: ignore[operator]
    words().save_pretrained(folder)
    return folder


def params_of(source: Path, task: str, **more: object) -> dict[str, object]:
    given = {"checkpoint": str(source), "task": task, "rows": 20, "budgets": BUDGETS, "device": "cpu", **more}
    return RECIPES["statistics"].checked(given)


def by_loops(source: Path, task: str, rows: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Everything of every row, head and budget, a query at a time."""
    checkpoint, part = load_checkpoint(source, "cpu"), read_task(task).part("test")
    kept, model = kept_heads(checkpoint.model), checkpoint.model
    cells = np.full((2, len(LEVELS), len(rows), 2, 4), np.nan)
    said = np.empty((len(LEVELS), len(rows)))
    for level, keys in enumerate(LEVELS):
        for place, row in enumerate(rows):
            batch = checkpoint.tokenizer(part.texts[row], return_tensors="pt")
            with (
                torch.inference_mode(),
                budgeted_attention(model, KeyBudget(keys or 99)),
                recorded_attention(model) as s,
            ):
                said[level, place] = int(model(**batch).logits[0].argmax())
            for one in s:
                n = one.weights.shape[-1]
                visible = one.visible.expand_as(one.weights)[0]
                for at, head in enumerate(kept[one.layer]):
                    seen = [one.weights[0, at, q][visible[at, q]] for q in range(n)]
                    cells[0, level, place, one.layer, head] = np.mean([float(metrics.gini(x)) for x in seen])
                    cells[1, level, place, one.layer, head] = np.mean([float(metrics.entropy(x)) for x in seen])
    return {"gini": cells[0], "entropy": cells[1], "said": said, "targets": part.targets[list(rows)]}


def gathered(source: Path, task: str, kept: Path | None = None, **more: object) -> RowStatistics:
    return gather_statistics(params_of(source, task, **more), kept=kept).found


def test_every_number_is_that_of_loops_over_texts_heads_and_queries(source: Path, task: str) -> None:
    found = gathered(source, task)
    slow = by_loops(source, task, found.rows)
    assert found.key.levels == (None, 3, 1)
    for name in ("gini", "entropy"):
        np.testing.assert_allclose(getattr(found, name), np.nanmean(slow[name], axis=(2, 3)), atol=0.51e-4)
        np.testing.assert_allclose(getattr(found, f"head_{name}"), slow[name].mean(axis=1), atol=0.51e-4)
        np.testing.assert_allclose(getattr(found, f"cell_{name}"), slow[name][0], atol=0.51e-3)
    assert np.array_equal(found.predictions, slow["said"])
    assert np.array_equal(found.targets, slow["targets"])
    assert np.array_equal(found.right, slow["said"] == slow["targets"])
    for place, flip in enumerate(found.flips.tolist()):
        course = [
            keys for keys, said in zip(LEVELS, slow["said"][:, place], strict=True) if said != slow["said"][0, place]
        ]
        assert flip == (course[0] if course else 0)


def test_the_mean_over_queries_is_that_of_the_survivor_control(source: Path, task: str) -> None:
    found, checkpoint = gathered(source, task), load_checkpoint(source, "cpu")
    part = read_task(task).part("test")
    encoded = encode(checkpoint.tokenizer, part, 128)
    whole = inequality(checkpoint.model, checkpoint.tokenizer, [encoded[row] for row in found.rows])
    by_query = np.average(found.gini[0], weights=found.n_tokens), np.average(found.entropy[0], weights=found.n_tokens)
    assert by_query == pytest.approx((whole.gini, whole.entropy), abs=0.51e-4)


def test_removed_heads_have_no_numbers(tmp_path: Path, task: str) -> None:
    found = gathered(saved(compacted(), tmp_path / "small"), task)
    assert found.kept.tolist() == [[True, False, True, False], [False, False, False, True]]
    assert found.written()["head_gini"][0][1][:3] == [None] * 3
    assert np.isnan(found.cell_entropy[:, ~found.kept]).all()


def test_a_layer_without_heads_has_no_numbers(tmp_path: Path, task: str) -> None:
    heads = (torch.zeros(4), torch.ones(4))
    small = compact(bert(), Units(heads, (torch.ones(24), torch.ones(24)))).eval()
    found = gathered(saved(small, tmp_path / "small"), task)
    assert found.kept.sum(axis=1).tolist() == [0, 4]
    assert np.isfinite(found.gini).all()


def test_a_task_of_scores_flips_by_half_a_point(tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    table.write_text("text,label\n" + "".join(f"w{i % 20} w{i % 7} w{i % 5},{i / 7:.3f}\n" for i in range(60)))
    labels = {"id2label": {0: "score"}, "label2id": {"score": 0}, "problem_type": "regression"}
    found = gathered(saved(bert(**labels, num_labels=1), tmp_path / "scores"), f"files:{table}")
    moved = np.abs(found.predictions - found.predictions[0]) > 0.5
    assert found.is_score
    assert found.flips.tolist() == [3 if moved[1, i] else 1 if moved[2, i] else 0 for i in range(len(found.rows))]
    assert np.array_equal(found.right, np.abs(found.predictions - found.targets) <= 0.5)


@pytest.mark.parametrize("keys", [None, 2])
@pytest.mark.parametrize("visible", [torch.ones(5, 5), torch.ones(5, 5).tril()], ids=["every key", "no future"])
def test_batches_have_the_numbers_of_one_text_at_a_time(visible: torch.Tensor, keys: int | None) -> None:
    seen = visible.bool() & (torch.arange(5) < torch.tensor([5, 3])[:, None, None])[:, None]  # padding at the end
    logits = torch.randn(2, 3, 5, 5).masked_fill(~seen, -torch.inf)
    least = logits.topk(keys or 5, dim=-1).values[..., -1:]
    weights = logits.masked_fill(logits < least, -torch.inf).softmax(-1)
    found = row_inequality(
        LayerAttention(0, "encoder", weights, seen), torch.arange(5) < torch.tensor([[5], [3]]), keys
    )
    for row, n in enumerate((5, 3)):
        for head in range(3):
            rows = [weights[row, head, query][seen[row, 0, query]] for query in range(n)]
            assert float(found[0, row, head]) == pytest.approx(
                np.mean([float(metrics.gini(x)) for x in rows]), abs=1e-6
            )
            nats = np.mean([float(metrics.entropy(x)) for x in rows])
            assert float(found[1, row, head]) == pytest.approx(nats, abs=2e-6)


def test_a_query_that_reads_nothing_does_not_enter_the_mean() -> None:
    weights = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0], [0.25, 0.25, 0.0]])[None, None]  # and one with a sink
    visible = torch.ones(3, 3, dtype=torch.bool)[None, None]
    found = row_inequality(LayerAttention(0, "encoder", weights, visible), torch.ones(1, 3, dtype=torch.bool))
    assert found[:, 0, 0].tolist() == pytest.approx([1 / 3, np.log(2)], abs=1e-6)
    nothing = row_inequality(LayerAttention(0, "encoder", 0 * weights, visible), torch.ones(1, 3, dtype=torch.bool))
    assert nothing.isnan().all()


# ---- which rows


def test_the_rows_are_the_same_for_everybody_and_few_are_the_first_of_many(plain: Path, task: str) -> None:
    few, many = gathered(plain, task, rows=5, budgets=[1]), gathered(plain, task, rows=20, budgets=[1])
    assert many.rows[:5] == few.rows
    assert many.rows == chosen_rows(40, 20)
    assert sorted(gathered(plain, task, rows=4000, budgets=[1]).rows) == list(range(40))


@pytest.mark.parametrize("n_all", [1, 7, 300])
def test_a_shuffle_takes_each_row_once(n_all: int) -> None:
    assert sorted(chosen_rows(n_all, 1000)) == list(range(n_all))


# ---- kept, recalled, left and taken up again


def test_what_was_measured_is_not_measured_again(plain: Path, task: str, tmp_path: Path, monkeypatch) -> None:
    first = gather_statistics(params_of(plain, task), kept=tmp_path)
    monkeypatch.setattr("compecon.evaluation.row_statistics.measured_rows", None)  # to call it would fail
    again = gather_statistics(params_of(plain, task, budgets=[1, 3, 3]), kept=tmp_path)
    assert (first.is_recalled, again.is_recalled) == (False, True)
    assert again.found.written() == first.found.written()
    assert again.results() == {**first.results(), "recalled": True}


def test_other_rows_or_budgets_are_measured(plain: Path, task: str, tmp_path: Path) -> None:
    gathered(plain, task, tmp_path)
    for more in ({"rows": 19}, {"budgets": [2]}, {"split": "dev"}, {"max_tokens": 4}):
        assert not gather_statistics(params_of(plain, task, **more), kept=tmp_path).is_recalled
    assert len(StatisticsStore(tmp_path).all()) == 5 + n_bundled()


def test_statistics_of_many_rows_are_found_and_not_listed(plain: Path, task: str, tmp_path: Path) -> None:
    found, store = gathered(plain, task), StatisticsStore(tmp_path)
    many = replace(found, key=replace(found.key, n_rows=SHOWN_ROWS + 1))
    store.put(many)
    store.put_texts("abc", [("a text", "")] * (SHOWN_ROWS + 1))
    recalled = store.get(many.key)
    assert recalled is not None
    assert recalled.written() == many.written()
    assert store.all() == StatisticsStore().all()
    assert store.texts("abc") == ()


def n_bundled() -> int:
    return len([path for path in (assets() / "statistics").glob("*.json") if not path.name.startswith("texts-")])


def stopping_after(n_steps: int, begun: list[str]) -> Callbacks:
    steps: list[int] = []
    watch = StepCallbacks(lambda record: steps.append(record.step), lambda: len(steps) >= n_steps)
    return Callbacks(begin=lambda name, _: begun.append(name), watch=watch)


def test_an_attempt_that_was_left_goes_on_with_the_first_missing_budget(plain: Path, task: str, tmp_path: Path) -> None:
    undisturbed, begun = gathered(plain, task, rows=40), list[str]()
    params, work = params_of(plain, task, rows=40), tmp_path / "work"  # two batches a budget
    with pytest.raises(TrainingInterruptedError, match="1 of 2"):
        gather_statistics(params, kept=tmp_path, work=work, callbacks=stopping_after(5, begun))
    assert begun == ["all keys", "3 keys", "1 key"]
    assert StatisticsStore(tmp_path).all() == StatisticsStore().all()
    found = gather_statistics(params, kept=tmp_path, work=work, callbacks=stopping_after(9, begun)).found
    assert begun[3:] == ["1 key"]
    assert not work.exists()
    assert {**found.written(), "measured_at": 0} == {**undisturbed.written(), "measured_at": 0}


def test_damaged_pieces_of_an_attempt_are_measured_anew(plain: Path, task: str, tmp_path: Path) -> None:
    work, begun = tmp_path / "work", list[str]()
    with pytest.raises(TrainingInterruptedError):
        gather_statistics(params_of(plain, task, rows=40), work=work, callbacks=stopping_after(3, []))
    (work / "all-keys.json").write_text("{")
    gather_statistics(params_of(plain, task, rows=40), work=work, callbacks=stopping_after(99, begun))
    assert begun == ["all keys", "3 keys", "1 key"]


def test_the_run_kind_keeps_what_it_found(plain: Path, task: str, tmp_path: Path) -> None:
    place = RunPaths(tmp_path / "result", tmp_path / "work", tmp_path, tmp_path / "measurements")
    results = RECIPES["statistics"].run(params_of(plain, task), place, Callbacks())
    [path] = [path for path in (tmp_path / "measurements" / "statistics").iterdir() if path.name == results["file"]]
    assert RowStatistics.read(json.loads(path.read_text())).key.digest == results["digest"]
    assert re.match(r"20 rows of rule\d* test: mean Gini 0\.\d+, .* 1 key per query\.", results["sentence"])
    assert json.loads(json.dumps(results, allow_nan=False)) == results


def test_texts_are_kept_once_and_beside(plain: Path, task: str, tmp_path: Path) -> None:
    found = gathered(plain, task, tmp_path)
    part = read_task(task).part("test")
    store = StatisticsStore(tmp_path)
    assert store.texts(found.key.rows_digest) == tuple((part.texts[row], "") for row in found.rows)
    assert store.texts("0" * 12) == store.texts("../up") == ()
    assert not any(part.texts[row] in json.dumps(found.written()) for row in found.rows)


# ---- the file


def test_a_file_is_read_as_it_was_written(source: Path, task: str, tmp_path: Path) -> None:
    found = gathered(source, task)
    read = RowStatistics.read(json.loads(write_statistics(found, tmp_path).read_text()))
    assert read.written() == found.written()
    for name in ("gini", "entropy", "head_gini", "head_entropy"):
        np.testing.assert_allclose(getattr(read, name), getattr(found, name), atol=0.51e-4)
    for name in ("cell_gini", "cell_entropy"):
        np.testing.assert_allclose(getattr(read, name), getattr(found, name), atol=0.51e-3)
    assert np.array_equal(read.flips, found.flips)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 7}, "newer compecon"),
        ({"rows": [0] * 20}, "rows"),
        ({"rows": [1.5] * 20}, "whole"),
        ({"gini": [[0.1]]}, "shape"),
        ({"predictions": [[None] * 20] * 3}, "not finite"),
        ({"checkpoint": 3}, "text"),
        ({"is_score": "yes"}, "type"),
        ({"cells": {"cell_gini": "?", "cell_entropy": "?"}}, "damaged"),
        ({"cells": {"cell_gini": packed(np.zeros((1, 1))), "cell_entropy": ""}}, "does not hold"),
        ({"key": {"digest": "a"}}, "statistics"),
        ({"hardware": None, "rows": 1}, "statistics"),
    ],
)
def test_a_damaged_file_is_refused(plain: Path, task: str, change: dict[str, object], said: str) -> None:
    written = gathered(plain, task).written()
    with pytest.raises(ValueError, match=said):
        RowStatistics.read({**written, **change})


def test_a_damaged_file_is_left_out(plain: Path, task: str, tmp_path: Path) -> None:
    found = gathered(plain, task, tmp_path)
    (tmp_path / "statistics" / found.key.file_name).write_text("[")
    assert StatisticsStore(tmp_path).get(found.key) is None
    assert len(StatisticsStore(tmp_path).all()) == n_bundled()


def test_packing_keeps_three_digits_and_what_is_missing() -> None:
    table = np.random.default_rng(0).uniform(0, 6.5, (30, 7))
    table[3, 4] = np.nan
    found = unpacked(packed(table), 30, 7)
    assert np.isnan(found[3, 4])
    assert np.nanmax(np.abs(found - table)) <= 0.51e-3
    assert unpacked(packed(np.array([[99.0, -1.0]])), 1, 2).tolist() == [[pytest.approx(65.534), 0.0]]
    with pytest.raises(ValueError, match="does not hold"):
        unpacked(packed(np.zeros((10_000, 100))), 2, 2)


# ---- refusals


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rows": 1}, "rows"),
        ({"rows": 10**6}, "100,000"),
        ({"budgets": [0]}, "budgets"),
        ({"max_tokens": 1}, "at least 2"),
    ],
)
def test_settings_out_of_range_are_refused(plain: Path, task: str, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        params_of(plain, task, **wrong)


def test_a_language_task_has_no_decisions(plain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "wikitext2_raw"
    folder.mkdir()
    for name in ("train", "valid", "test"):
        (folder / f"wiki.{name}.raw").write_text(" = Title = \n\n Some words . \n")
    with pytest.raises(TaskError, match="neither classes nor scores"):
        gathered(plain, "wikitext-2", data=str(tmp_path))


def test_a_split_that_is_not_there_is_refused(plain: Path, task: str) -> None:
    with pytest.raises(TaskError, match="no unseen rows"):
        gathered(plain, task, split="unseen")


# ---- digests and what comes with compecon


def test_a_digest_without_loading_is_that_of_loading(source: Path) -> None:
    assert digest_of(source) == load_checkpoint(source, "cpu").digest
    before = digest_of(source)
    (source / "config.json").write_text((source / "config.json").read_text() + "\n")
    assert digest_of(source) == load_checkpoint(source, "cpu").digest != before


def test_bundled_statistics_are_of_the_bundled_checkpoints_on_the_same_rows() -> None:
    found = [each for each in StatisticsStore().all() if (assets() / "checkpoints" / each.checkpoint).is_dir()]
    assert {(each.checkpoint, each.key.task) for each in found} == {
        (name, task)
        for parent, tasks in {"sentiment": ("sst2", SHOWN), "similarity": ("stsb",)}.items()
        for name in (parent, f"{parent}-elastic")  # the pairs that Compare begins with
        for task in tasks
    }
    for each in found:
        assert each.key.digest == digest_of(each.checkpoint)
        assert (assets() / "statistics" / each.key.file_name).stat().st_size < 60_000
    assert len({each.key.same_rows for each in found}) == len({each.key.task for each in found})


def test_bundled_statistics_are_what_is_measured_now(data_dir: Path) -> None:
    kept = next(
        each for each in StatisticsStore().all() if (each.checkpoint, each.key.task) == ("sentiment-elastic", "sst2")
    )
    few = gathered(Path("sentiment-elastic"), "sst2", rows=12, budgets=[1], data=str(data_dir))
    levels = [0, kept.key.levels.index(1)]
    assert few.rows == kept.rows[:12]
    for name in ("gini", "entropy"):
        np.testing.assert_allclose(getattr(few, name), getattr(kept, name)[levels, :12], atol=2e-4)
    assert np.array_equal(few.predictions, kept.predictions[levels, :12])


def test_a_key_is_told_apart_by_its_file_name(plain: Path, task: str) -> None:
    key = gathered(plain, task).key
    others = [replace(key, rows_digest="f" * 12), replace(key, max_tokens=9), replace(key, budgets=(2,))]
    assert len({each.file_name for each in (key, *others)}) == 4
    assert all(os.sep not in each.file_name for each in others)
