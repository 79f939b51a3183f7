"""Draw made reviews: first whether to praise, then a structure that does, then its words."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, final

from compecon.tasks.made import forms
from compecon.tasks.made.forms import Form
from compecon.tasks.made.grammar import Agreement, Claim, Concession, Contrast, Hearsay, Mention, Node, Review
from compecon.tasks.made.words import ALONE, DEGREES, OPENERS, PARTS, QUALITIES, REMARKS, WHOLES, Quality, Sort, Subject

Item = TypeVar("Item")
_MOST_SUBJECTS = 6  # three of a verdict, three of an aside
_OF_SORT: dict[tuple[Sort, bool], list[Quality]] = {}
for _each in QUALITIES:
    _OF_SORT.setdefault((_each.sort, _each.good), []).append(_each)


@final
class Dice:
    """Draws from a seed, the same on every machine and with every version of Python.

    Of `random.Random` only the method `random` is promised to stay as it is: `choice`, `sample` and `shuffle` have
    changed before.
    """

    def __init__(self, seed: int) -> None:
        self._next = random.Random(seed).random  # noqa: S311 - nothing secret

    def chance(self, share: float) -> bool:
        """True in this share of draws."""
        return self._next() < share

    def pick(self, items: Sequence[Item]) -> Item:
        """One of them."""
        return items[int(self._next() * len(items))]

    def several(self, items: Iterable[Item], n: int) -> list[Item]:
        """This many of them, each at most once, in random order."""
        left = list(items)
        return [left.pop(int(self._next() * len(left))) for _ in range(n)]


@final
class Writer:
    """Draws reviews with these dice."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        some: list[tuple[Callable[[bool, bool], Node], int]] = [
            (self._alone, 5),
            (self._agreement, 4),
            (self._concession, 5),
            (self._mention, 3),
            (self._contrast, 3),
        ]
        self._shapes = [shape for shape, weight in some for _ in range(weight)]

    def review(self, good: bool, is_new: bool) -> Review:
        """A review that praises or not; `is_new` if one of its forms is among those kept for test, else none is."""
        core = self._dice.pick(self._shapes)(good, is_new)
        before = self._dice.pick(REMARKS) if self._dice.chance(0.15) else ""
        opener = self._dice.pick(OPENERS) if self._dice.chance(0.15) else ""
        after = self._dice.pick(REMARKS) if self._dice.chance(0.15) and not before else ""
        return Review(core, good, before, opener, after)

    def _alone(self, good: bool, is_new: bool) -> Claim:
        return self._claim(self._dice.pick((*ALONE, *PARTS, *WHOLES)), good, is_new)

    def _agreement(self, good: bool, is_new: bool) -> Agreement:
        return self._joined(self._form(forms.AGREEMENTS, is_new), self._subjects(), good)

    def _concession(self, good: bool, is_new: bool) -> Concession:
        form, subjects = self._form(forms.CONCESSIONS, is_new), self._subjects()
        verdict = self._part(subjects, good, 0.2)
        return Concession(self._aside(subjects, not good), verdict, form)

    def _aside(self, subjects: list[Subject], good: bool) -> Claim | Agreement | Hearsay:
        if self._dice.chance(0.2):
            form = self._form(forms.HEARSAY, is_new=False)
            return Hearsay(self._quality(form, good), form)
        return self._part(subjects, good, 0.35)

    def _part(self, subjects: list[Subject], good: bool, share_of_several: float) -> Claim | Agreement:
        if self._dice.chance(share_of_several):
            return self._joined(self._dice.pick(forms.LISTS), subjects, good)
        return self._claim(subjects.pop(), good, is_new=False)

    def _joined(self, form: Form, subjects: list[Subject], good: bool) -> Agreement:
        n_claims = form.pattern.count("{")
        return Agreement(tuple(self._claim(subjects.pop(), good, is_new=False) for _ in range(n_claims)), form)

    def _mention(self, good: bool, is_new: bool) -> Mention:
        confirmed = self._dice.chance(0.5)
        form = self._form(forms.CONFIRMED if confirmed else forms.REJECTED, is_new)
        return Mention(self._quality(form, good == confirmed), confirmed, form)

    def _contrast(self, good: bool, is_new: bool) -> Contrast:
        form = self._form(forms.CONTRASTS, is_new)
        return Contrast(self._quality(form, not good), self._quality(form, good), form)

    def _claim(self, subject: Subject, good: bool, is_new: bool) -> Claim:
        denied = self._dice.chance(0.25)
        form = self._form(forms.DENIALS if denied else forms.ASSERTIONS, is_new)
        quality = self._quality(form, good != denied, is_whole=subject in ALONE)
        can_have_degree = quality.sort == "adjective" and form.pattern == forms.PLAIN
        degree = self._dice.pick(DEGREES) if can_have_degree and self._dice.chance(0.4) else ""
        return Claim(subject, quality, degree, form, denied)

    def _quality(self, form: Form, good: bool, *, is_whole: bool = False) -> Quality:
        sort = self._dice.pick(form.takes)
        if is_whole and sort == "noun" and self._dice.chance(0.6):
            sort = "film"
        return self._dice.pick(_OF_SORT[sort, good])

    def _subjects(self) -> list[Subject]:
        """Different ones for a sentence, to be taken from the end: the verdict's come first, and one may be a whole."""
        parts = self._dice.several(PARTS, _MOST_SUBJECTS)
        return [*parts, self._dice.pick(WHOLES)] if self._dice.chance(0.4) else parts

    def _form(self, among: tuple[Form, ...], is_new: bool) -> Form:
        return self._dice.pick([form for form in among if form.is_new == is_new])
