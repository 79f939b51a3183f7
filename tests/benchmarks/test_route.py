"""Routing against one size at toy size: the size of a cost, and what is said where no checkpoint is named."""

import numpy as np
import pytest

from compecon.benchmarks import route
from compecon.benchmarks.figures import Settings
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CompeconError
from compecon.flops import forward_macs
from compecon.serving.router import Router
from compecon.tasks.task import Split
from tests.support.elastic import made_elastic


@pytest.fixture(scope="module")
def elastic():
    return made_elastic(load_checkpoint("sentiment", "cpu"))


def test_one_size_takes_at_most_the_mean_of_the_routed_texts_and_less_by_a_head_at_most(elastic):
    lengths = np.array([5, 9, 9, 20])
    for share in (0.6, 0.7, 0.95):
        macs = share * route.mean_macs(elastic, 1.0, lengths)
        size = route.size_of_cost(elastic, (0.4, 1.0), macs, lengths)
        found = np.mean([forward_macs(elastic.at(size).model, int(n)) for n in lengths]) / 1e6
        assert found == pytest.approx(route.mean_macs(elastic, size, lengths))
        assert 0.97 * macs <= found <= macs


def test_a_table_says_how_many_answers_were_right_and_how_long_it_took(elastic):
    texts = ("a delight", "a bore", "not a good film at all", "great fun") * 5
    rows = Split(texts, (), np.array([1, 0, 0, 1] * 5))
    worth = np.array([[0.5, 0.6, 0.5], [0.5, 0.5, 0.9]])
    table = route.routed_table(
        elastic, Router("length", (0.4, 0.6, 1.0), np.array([5.0]), worth, 20, elastic.digest), rows, Settings(True)
    )
    assert len(table.figures) == 4 * 2  # for each of the two sizes after the smallest
    assert all(np.isfinite(figure.values).all() for figure in table.figures)
    said = table.figures[0].values[0]
    assert said == pytest.approx(100 * round(said * 20 / 100) / 20), "a share of 20 rows"


@pytest.mark.parametrize("given", ["COMPECON_ELASTIC", "COMPECON_DATA", ""])
def test_without_a_checkpoint_or_its_texts_it_says_what_to_set(monkeypatch, given):
    for name in ("COMPECON_ELASTIC", "COMPECON_DATA"):
        monkeypatch.delenv(name, raising=False)
    if given:
        monkeypatch.setenv(given, "somewhere")
    with pytest.raises(CompeconError, match=r"Set COMPECON_ELASTIC.*COMPECON_DATA"):
        route.measure(Settings(quick=True))
