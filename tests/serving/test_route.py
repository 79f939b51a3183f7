"""Texts answered by sizes of one elastic model: as each alone, in their order, at the size that the price says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.errors import CheckpointError, TaskError, TextError
from compecon.flops import forward_macs
from compecon.serving import Feature, Routed, Router, distinct_sizes, fit_router, route
from compecon.tasks.task import Split, Task
from compecon.tasks.task_metrics import accuracy, pearson
from tests.support.elastic import made_elastic

WORDS = ("a", "film", "not", "good", "bad", "the", "plot", "was", "dull", "great", "fun", "slow")
SIZES = (0.4, 0.6, 1.0)


def some_texts(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 30))) for _ in range(n)]


@pytest.fixture(scope="module")
def dense() -> Checkpoint:
    return load_checkpoint("sentiment", "cpu")


@pytest.fixture(scope="module")
def elastic(dense: Checkpoint) -> Checkpoint:
    return made_elastic(dense)


@pytest.fixture(scope="module")
def task() -> Task:
    texts = some_texts(300, seed=1)
    targets = np.array([("good" in text or "great" in text) for text in texts], dtype=np.int64)
    rows = Split(tuple(texts), (), targets)
    return Task("mine", "classification", ("negative", "positive"), {"dev": rows}, (accuracy,))


@pytest.fixture(scope="module")
def routers(elastic: Checkpoint, task: Task) -> dict[Feature, Router]:
    return {feature: fit_router(elastic, task, feature=feature) for feature in ("confidence", "length")}


@cache
def by_hand(checkpoint: Checkpoint, size: float, text: str) -> np.ndarray:
    with torch.inference_mode():
        logits: np.ndarray = checkpoint.at(size).model(**checkpoint.encode(text).batch).logits[0].numpy()
    return logits


@pytest.mark.parametrize("feature", ["confidence", "length"])
@pytest.mark.parametrize("price", [0, 1e-3, 1e-2, 1e9])
def test_each_text_is_answered_in_its_place_as_it_would_be_alone_at_its_size(
    elastic: Checkpoint, routers: dict[Feature, Router], feature: Feature, price: float
) -> None:
    texts, router = some_texts(60), routers[feature]
    found = route(elastic, texts, router, price=price, batch_size=7)
    for place, text in enumerate(texts):
        expected = by_hand(elastic, float(found.sizes[place]), text)
        np.testing.assert_allclose(found.logits[place].numpy(), expected, atol=1e-5, rtol=1e-5)
        assert found.sizes[place] == best_by_hand(elastic, router, text, price)
        assert found.macs[place] == pytest.approx(cost_by_hand(elastic, router, text, float(found.sizes[place])))


def cost_by_hand(checkpoint: Checkpoint, router: Router, text: str, size: float) -> float:
    n_tokens = checkpoint.encode(text).batch["input_ids"].shape[1]
    looked = router.feature == "confidence" and size != SIZES[0]
    return sum(forward_macs(checkpoint.at(each).model, n_tokens) for each in (size, *SIZES[: int(looked)])) / 1e6


def best_by_hand(checkpoint: Checkpoint, router: Router, text: str, price: float) -> float:
    """The size of the largest surplus, the smallest of equally good ones; found by trying them all."""
    known = float(checkpoint.encode(text).batch["input_ids"].shape[1])
    if router.feature == "confidence":
        known = float(torch.softmax(torch.from_numpy(by_hand(checkpoint, SIZES[0], text)).double(), -1).max())
    group = sum(edge < known for edge in router.edges.tolist())
    worth = router.worth[group].tolist()
    surplus = [w - price * cost_by_hand(checkpoint, router, text, s) for w, s in zip(worth, SIZES, strict=True)]
    return SIZES[int(np.argmax(surplus))]


def test_sizes_do_differ_between_texts(elastic: Checkpoint, routers: dict[Feature, Router]) -> None:
    """Else the tests of this file would hold of one size for all."""
    for router in routers.values():
        chosen = {float(size) for price in (0, 1e-3, 1e-2)
                  for size in route(elastic, some_texts(60), router, price=price).sizes}  # fmt: skip
        assert len(chosen) > 1


def test_a_higher_price_buys_no_more(elastic: Checkpoint, routers: dict[Feature, Router]) -> None:
    for router in routers.values():
        spent = [route(elastic, some_texts(60), router, price=price).macs.sum() for price in (0, 1e-3, 1e-2, 1e9)]
        assert spent == sorted(spent, reverse=True)
        assert (route(elastic, some_texts(60), router, price=1e9).sizes == SIZES[0]).all()


@pytest.mark.parametrize("feature", ["confidence", "length"])
def test_a_budget_is_kept_and_its_price_gives_the_same(
    elastic: Checkpoint, routers: dict[Feature, Router], feature: Feature
) -> None:
    texts, router = some_texts(60), routers[feature]
    least = route(elastic, texts, router, price=1e9).macs.mean()
    most = route(elastic, texts, router, price=0).macs.mean()
    for budget in (least, (least + most) / 2, 2 * most):
        found = route(elastic, texts, router, budget=float(budget))
        again = route(elastic, texts, router, price=found.price)
        assert found.macs.mean() <= budget * (1 + 1e-9)
        assert found.sizes.tolist() == again.sizes.tolist()
    assert route(elastic, texts, router, budget=2 * most).price == 0


def test_no_text_and_one_text(elastic: Checkpoint, routers: dict[Feature, Router]) -> None:
    for router in routers.values():
        none = route(elastic, [], router, price=0.1)
        assert (tuple(none.logits.shape), len(none.sizes), len(none.macs)) == ((0, 2), 0, 0)
        one = route(elastic, ["a dull plot"], router, price=0)
        np.testing.assert_allclose(
            one.logits[0], by_hand(elastic, float(one.sizes[0]), "a dull plot"), atol=1e-5, rtol=1e-5
        )


def answered(elastic: Checkpoint, router: Router, texts: Sequence[str] = ("a film",), **more: object) -> Routed:
    return route(elastic, texts, router, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "either a price"),
        ({"price": 0.1, "budget": 5.0}, "either a price"),
        *(({name: bad}, f"{name} must be a finite") for name in ("price", "budget")
          for bad in (-1, -1e-9, float("nan"), float("inf"), True, "1")),
        ({"budget": 1e-6}, "the smallest size takes"),
        ({"price": 0, "pairs": ["x", "y"]}, "each text needs its pair"),
        ({"price": 0, "texts": "a film"}, "lists of texts"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_price_is_refused_in_a_sentence(
    elastic: Checkpoint, routers: dict[Feature, Router], more: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        answered(elastic, routers["length"], **more)


def test_empty_and_long_texts_are_named_by_their_place(elastic: Checkpoint, routers: dict[Feature, Router]) -> None:
    with pytest.raises(TextError, match="text 2 of 3 is empty"):
        answered(elastic, routers["length"], ["a", " ", ""], price=0)
    with pytest.raises(TextError, match="text 2 of 2 has more than 8 tokens"):
        answered(elastic, routers["length"], ["film " * 6, "film " * 7], price=0, max_tokens=8)
    assert len(answered(elastic, routers["length"], ["film " * 6], price=0, max_tokens=8).sizes) == 1


def test_a_router_goes_with_its_checkpoint(
    dense: Checkpoint, elastic: Checkpoint, routers: dict[Feature, Router]
) -> None:
    with pytest.raises(CheckpointError, match="another checkpoint"):
        answered(replace(elastic, digest="other"), routers["length"], price=0)
    with pytest.raises(CheckpointError, match="single size"):
        answered(dense, routers["length"], price=0)


# ---- what a router measures


@pytest.mark.slow
@pytest.mark.parametrize("feature", ["confidence", "length"])
def test_the_worth_of_a_size_is_its_share_of_right_answers_in_each_group(
    elastic: Checkpoint, task: Task, routers: dict[Feature, Router], feature: Feature
) -> None:
    router, rows = routers[feature], task.part("dev")
    groups: dict[int, list[list[bool]]] = {}
    for text, target in zip(rows.texts, rows.targets.tolist(), strict=True):
        said = {size: by_hand(elastic, size, text) for size in SIZES}
        known = float(elastic.encode(text).batch["input_ids"].shape[1])
        if feature == "confidence":
            known = float(torch.softmax(torch.from_numpy(said[SIZES[0]]).double(), -1).max())
        group = sum(edge < known for edge in router.edges.tolist())
        groups.setdefault(group, []).append([int(logits.argmax()) == target for logits in said.values()])
    assert sorted(groups) == list(range(len(router.edges) + 1)), "no group is empty"
    for group, right in groups.items():
        assert len(right) >= 60
        np.testing.assert_allclose(router.worth[group], np.mean(right, axis=0), atol=1.5 / len(right))
    assert router.n_rows == 300


def test_texts_that_are_all_alike_are_one_group(elastic: Checkpoint) -> None:
    rows = Split(("a film",) * 400, (), np.zeros(400, dtype=np.int64))
    task = Task("same", "classification", ("negative", "positive"), {"dev": rows}, (accuracy,))
    assert fit_router(elastic, task, feature="length").worth.shape == (1, 3)


def test_sizes_are_chosen_and_those_that_are_one_model_count_once(elastic: Checkpoint, task: Task) -> None:
    assert distinct_sizes(elastic) == SIZES
    assert distinct_sizes(elastic, (1.0, 0.4000001, 0.4)) == (0.4, 1.0)
    assert fit_router(elastic, task, sizes=(0.8, 0.4), feature="length").sizes == (0.4, 0.8)
    with pytest.raises(ValueError, match="two or more"):
        fit_router(elastic, task, sizes=(0.5,), feature="length")
    with pytest.raises(CheckpointError, match=r"from 0\.4"):
        fit_router(elastic, task, sizes=(0.1, 1.0))


def test_what_has_no_right_answers_is_refused(elastic: Checkpoint, dense: Checkpoint, task: Task) -> None:
    scores = Task("scores", "regression", ("score",), {"dev": task.part("dev")}, (pearson,))
    with pytest.raises(TaskError, match="no classes"):
        fit_router(elastic, scores)
    with pytest.raises(TaskError):
        fit_router(elastic, task, "no such split")
    with pytest.raises(CheckpointError, match="single size"):
        fit_router(dense, task)


@pytest.mark.parametrize(
    "wrong",
    [
        {"feature": "mood"}, {"sizes": (0.4,)}, {"sizes": (1.0, 0.4)}, {"edges": np.array([3.0, 2.0])},
        {"edges": np.array([np.nan])}, {"worth": np.ones((2, 3))}, {"worth": np.full((2, 2), 1.5)},
        {"worth": np.full((2, 2), -0.5)}, {"worth": np.full((2, 2), np.nan)},
    ],
    ids=str,
)  # fmt: skip
def test_a_router_of_impossible_numbers_is_refused(wrong: dict[str, object]) -> None:
    good: Callable[..., Router] = lambda **more: Router(  # noqa: E731
        **{"feature": "length", "sizes": (0.4, 1.0), "edges": np.array([5.0]), "worth": np.ones((2, 2)), "n_rows": 9,
           "digest": "x", **more}
    )  # fmt: skip
    assert good().values(np.array([5.0, 6.0])).shape == (2, 2)
    with pytest.raises(ValueError):  # noqa: PT011 - several sentences
        good(**wrong)


def test_a_router_is_written_and_read_as_json(
    elastic: Checkpoint, routers: dict[Feature, Router], tmp_path: Path
) -> None:
    for router in routers.values():
        file = tmp_path / "router.json"
        file.write_text(json.dumps(router.written()))
        read = Router.read(json.loads(file.read_text()))
        assert read.written() == router.written()
        one, two = (route(elastic, some_texts(9), each, price=1e-3) for each in (router, read))
        assert one.sizes.tolist() == two.sizes.tolist()


@pytest.mark.parametrize(
    "wrong",
    [None, 5, [], "x", {}, {"edges": None}, {"worth": [[1], [1, 2]]}, {"sizes": "ab"}, {"n_rows": "x"},
     {"n_rows": 1e400}, {"feature": []}],
    ids=str,
)  # fmt: skip
def test_what_is_no_router_is_refused(routers: dict[Feature, Router], wrong: object) -> None:
    whole = {**routers["length"].written(), **wrong} if isinstance(wrong, dict) and wrong else wrong
    with pytest.raises(ValueError):  # noqa: PT011 - several sentences
        Router.read(whole)
