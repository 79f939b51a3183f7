from types import SimpleNamespace

import numpy as np
import pytest

from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.streams.bundled_streams import list_streams, open_stream
from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention
from compecon.errors import TaskError
from compecon.evaluation.predict_rows import predict
from compecon.flops import forward_macs
from compecon.studies.build_streams import build_streams, key_stream, size_stream, write_stream
from compecon.studies.predicted_streams import features_of
from compecon.tasks.encode_rows import encode


@pytest.fixture
def checkpoint(fresh, words):
    def make(name, seed=0):
        return SimpleNamespace(
            name=name,
            model=fresh(seed),
            tokenizer=words,
            kind="classification",
            labels=("negative", "positive"),
            preflight=SimpleNamespace(max_positions=64),
        )

    return make


def test_a_key_stream_says_which_rows_each_budget_gets_right(checkpoint, opinions):
    dense = checkpoint("toy")
    stream = key_stream(dense, opinions, keys=(1, 2), n_rows=24)
    rows = encode(dense.tokenizer, opinions.part("test"), 64)
    lengths = [len(row["input_ids"]) for row in rows]
    assert stream.levels[:, -1].tolist() == lengths
    for place, keys in enumerate((1, 2)):
        with budgeted_attention(dense.model, KeyBudget(keys)):
            said = predict(dense.model, dense.tokenizer, rows).numpy().argmax(axis=1)
        assert stream.correct[:, place].tolist() == (said == opinions.part("test").targets).tolist()
    said = predict(dense.model, dense.tokenizer, rows).numpy().argmax(axis=1)
    assert stream.correct[:, -1].tolist() == (said == opinions.part("test").targets).tolist()
    assert stream.queries[3] == "opinions-test-0003"


def test_a_budget_that_does_not_bind_is_the_dense_model(checkpoint, opinions):
    stream = key_stream(checkpoint("toy"), opinions, keys=(1, 50), n_rows=10)
    assert (stream.levels[:, 1] == stream.levels[:, 2]).all()
    assert (stream.correct[:, 1] == stream.correct[:, 2]).all()


def test_a_size_stream_costs_what_a_forward_pass_takes_at_each_rows_length(checkpoint, opinions):
    models = [checkpoint("toy"), checkpoint("other", 1)]
    stream = size_stream(models, opinions, n_rows=24)
    rows = encode(models[0].tokenizer, opinions.part("test"), 64)
    expected = [forward_macs(models[0].model, len(row["input_ids"])) for row in rows]
    assert stream.levels[:, 0].tolist() == expected
    assert stream.unit == "MACs"


def test_what_is_written_is_what_was_measured_and_no_text(checkpoint, opinions, tmp_path):
    stream = key_stream(checkpoint("toy"), opinions, keys=(1, 2), n_rows=24)
    file = write_stream(stream, tmp_path, title="t", description="x")
    first = file.read_bytes()
    write_stream(stream, tmp_path, title="t", description="x")
    assert file.read_bytes() == first
    read = open_stream("toy-keys", tmp_path)
    assert read.queries == stream.queries
    budgets = np.full(24, 2.0)
    assert read.curves().value(budgets).tolist() == stream.curves().value(budgets).tolist()
    assert [entry.name for entry in list_streams(tmp_path)] == ["toy-keys"]


def test_one_market_allocates_reads_of_a_measured_stream(checkpoint, opinions):
    stream = key_stream(checkpoint("toy"), opinions, keys=(1, 2), n_rows=24)
    found = RepairedShadowPrice(whole=True).allocate(stream.curves(), 30)
    assert found.spend.sum() <= 30
    assert found.value <= found.upper_bound + 1e-9


class Every(SimpleNamespace):
    """An elastic checkpoint of two sizes, as streams see one."""

    elastic = SimpleNamespace(prices=SimpleNamespace(bought={1.0: 2, 0.5: 1}), counts=lambda budget: budget)

    def at(self, budget):
        return self.sizes[budget]


def test_both_kinds_are_built_for_a_family(checkpoint, opinions, tmp_path):
    said = []
    elastic = Every(name="every", sizes={1.0: checkpoint("every at 1"), 0.5: checkpoint("every at 0.5", 1)})
    build_streams(tmp_path, [(opinions, checkpoint("toy"), elastic)], say=said.append)
    keys, sizes = list_streams(tmp_path)
    assert (keys.name, sizes.name, sizes.levels) == ("toy-keys", "toy-sizes", ("0.5", "1"))
    assert len(said) == 2


def test_a_checkpoint_for_something_else_is_refused(checkpoint, opinions):
    wrong = checkpoint("toy")
    wrong.kind = "regression"
    with pytest.raises(TaskError, match="needs a model of kind"):
        key_stream(wrong, opinions)


# ---- thresholds from texts


def test_texts_become_embeddings_and_a_length(checkpoint):
    rows = features_of(checkpoint("toy"), ["good w4", "bad w5 w6"])
    assert rows.shape == (2, 17)
    np.testing.assert_allclose(np.linalg.norm(rows[:, :-1], axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.exp(rows[:, -1]), [2, 3])
