import os
import random
import re
import subprocess
import sys
from collections import Counter
from math import log
from pathlib import Path

import numpy as np
import pytest

from compecon.tasks.labels import match_labels
from compecon.tasks.made import forms as made_forms
from compecon.tasks.made.grammar import Agreement, Claim, Concession, Contrast, Hearsay, Mention, Node, Review
from compecon.tasks.readers.made_reviews import NEW_FORMS, REVIEWS, VERSION, WORDS, made_reviews, written
from compecon.tasks.task import Task
from compecon.tasks.task_registry import TASKS, read_task

ROOT = Path(__file__).resolve().parents[2]
# Results are compared across machines and years: whoever changes a row raises the version and writes its digest here.
DIGESTS = {1: "9c1b5e18dd5413ee41da13a9ba0c137115f6cb6836e61fad3705be03111accce"}
DIGEST = """
import hashlib
from compecon.tasks.readers.made_reviews import written
rows = [f"{name} {int(each.good)} {each.text}" for name, some in written().items() for each in some]
print(hashlib.sha256("\\n".join(rows).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def reviews() -> dict[str, list[Review]]:
    return written()


@pytest.fixture(scope="module")
def task() -> Task:
    return made_reviews()


def praises(node: Node) -> bool:
    """What a structure says, from its leaves up; the writer goes from the label down."""
    match node:
        case Claim(quality=quality, denied=denied):
            return quality.good ^ denied
        case Agreement(parts=parts):
            (same,) = {praises(part) for part in parts}
            return same
        case Hearsay(quality=quality):
            return quality.good
        case Concession(aside=aside, verdict=verdict):
            assert praises(aside) is not praises(verdict)
            return praises(verdict)
        case Mention(said=said, confirmed=confirmed):
            return said.good is confirmed
        case Contrast(other=other, this=this):
            assert other.good is not this.good
            return this.good
    raise AssertionError(node)


def bare(node: Node) -> str:
    """Its text with the kinds of its words instead of those that could be others: equal ones are the same form."""
    match node:
        case Claim(form=form):
            return form.pattern.format(s="SUBJECT", be="BE", do="DO", q="QUALITY", v="VERB", base="VERB")
        case Agreement(parts=parts, form=form):
            return form.pattern.format(*map(bare, parts))
        case Concession(aside=aside, verdict=verdict, form=form):
            return form.pattern.format(aside=bare(aside), verdict=bare(verdict))
        case Contrast(form=form):
            return form.pattern.format(other="QUALITY", this="QUALITY")
    return node.form.pattern.format(q="QUALITY")


def nodes(node: object) -> list[object]:
    parts = getattr(node, "parts", ()) or [getattr(node, name) for name in ("aside", "verdict") if hasattr(node, name)]
    return [node, *(below for part in parts for below in nodes(part))]


def test_each_label_is_what_the_structure_says(reviews):
    assert all(praises(each.core) is each.good for some in reviews.values() for each in some)


def test_what_is_denied_conceded_or_confirmed_stands_in_the_words(reviews):
    for node in (below for some in reviews.values() for each in some for below in nodes(each.core)):
        match node:
            case Claim(form=form, denied=denied):
                assert form in (made_forms.DENIALS if denied else made_forms.ASSERTIONS)
            case Mention(form=form, confirmed=confirmed):
                assert form in (made_forms.CONFIRMED if confirmed else made_forms.REJECTED)
    denying = ("not", "never", "far from", "nobody", "nothing", "anything but", "no means", "wrong", "at no")
    assert all(any(word in form.pattern for word in denying) for form in made_forms.DENIALS)


def test_the_conjunctions_of_a_concession_grant_the_aside_or_maintain_the_verdict():
    granting, maintaining = r"\b(although|though|while|that) ", r"\b(but|even so,|still|the fact that) "
    patterns = [form.pattern for form in made_forms.CONCESSIONS]
    neither = [p for p in patterns if not re.search(f"{granting}{{aside}}|{maintaining}{{verdict}}", p)]
    reversed_ = [p for p in patterns if re.search(maintaining + "{aside}", p)]
    assert (neither, reversed_) == ([], [])


def test_a_quality_fits_its_form(reviews):
    for node in (below for some in reviews.values() for each in some for below in nodes(each.core)):
        if isinstance(node, Claim) and node.quality.sort == "film":
            assert node.subject.words in ("it", "this")
        elif isinstance(node, Claim):
            assert node.quality.sort in node.form.takes


def test_every_split_has_as_many_of_each_label(task):
    assert {name: len(part) for name, part in task.splits.items()} == {
        "train": 4000,
        "dev": 500,
        "test": 1000,
        NEW_FORMS: 500,
    }
    assert all(2 * part.targets.sum() == len(part) for part in task.splits.values())


def test_no_sentence_occurs_twice(reviews):
    said = [each.said.casefold() for some in reviews.values() for each in some]
    assert len(set(said)) == len(said)


def test_every_second_test_row_has_a_form_that_train_and_dev_lack(reviews, task):
    learnt = {bare(each.core) for name in ("train", "dev") for each in reviews[name]}
    new = reviews["test"][1::2]
    assert not learnt & {bare(each.core) for each in new}
    assert all(any(node.form.is_new for node in nodes(each.core)) for each in new)
    assert not any(
        node.form.is_new
        for each in [*reviews["train"], *reviews["dev"], *reviews["test"][::2]]
        for node in nodes(each.core)
    )
    assert task.splits[NEW_FORMS].texts == tuple(each.text for each in new)


def test_the_bare_words_of_a_form_hold_none_of_those_that_fill_it(reviews):
    for each in reviews["test"]:
        words = bare(each.core)
        for node in nodes(each.core):
            quality = getattr(node, "quality", None) or getattr(node, "said", None) or getattr(node, "this", None)
            assert quality is None or quality.words not in words


def test_reviews_are_sentences_of_varying_length(task):
    lengths = [len(text.split()) for part in task.splits.values() for text in part.texts]
    assert WORDS[0] <= min(lengths) < 6
    assert 30 < max(lengths) <= WORDS[1]
    for text in task.splits["train"].texts:
        assert text[0].isupper()
        assert text.endswith(".")
        assert not set(text) & set("{}_")
        assert "  " not in text


def test_counting_words_is_not_enough(task):
    """Naive Bayes over words, with the rows of train."""
    counts = {0: Counter[str](), 1: Counter[str]()}
    for text, target in zip(task.splits["train"].texts, task.splits["train"].targets, strict=True):
        counts[int(target)].update(set(text.lower().split()))
    odds = {word: log((counts[1][word] + 1) / (counts[0][word] + 1)) for word in counts[0] | counts[1]}
    for name in ("test", NEW_FORMS):
        part = task.splits[name]
        said = np.array([sum(odds.get(word, 0.0) for word in set(text.lower().split())) > 0 for text in part.texts])
        assert 0.5 < (said == part.targets).mean() < 0.8


def test_the_rows_are_those_of_their_version_in_every_process():
    settings = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", DIGEST], cwd=ROOT, env=settings, capture_output=True, text=True)
    assert done.stdout.strip() == DIGESTS[VERSION], done.stderr


def test_rows_drawn_again_are_the_same_whatever_others_draw(reviews):
    random.seed(5)
    assert written() == reviews


def test_it_is_listed_as_synthetic_and_free_of_rights(task):
    entry = TASKS["reviews"]
    assert entry.is_made
    assert all("synthetic" in words for words in (entry.title, entry.source, entry.licence, task.name))
    assert "free of rights" in entry.licence
    assert [name for name, other in TASKS.items() if other.is_made] == ["reviews"]


def test_it_needs_neither_network_nor_data(tmp_path, monkeypatch, task):
    monkeypatch.setattr(
        "compecon.tasks.readers.hub_tables.load_tables", lambda *_, **__: pytest.fail("the Hub was asked")
    )
    read = read_task("reviews", tmp_path / "absent", offline=True)
    assert isinstance(read, Task)
    assert read.splits["test"].texts == task.splits["test"].texts


def test_a_head_for_sentiment_fits():
    assert match_labels(REVIEWS.labels, ("negative", "positive")).in_order


def test_it_reports_all_test_rows_and_the_new_forms_alone(task):
    assert task.reported == ("test", NEW_FORMS)
