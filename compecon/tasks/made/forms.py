"""The forms of the made reviews: how something is claimed, denied, conceded, reported and compared.

A form that `is_new` is kept for test rows. The slots of a claim are {s} subject, {be} is or are, {do} does or do, {q}
an adjective or noun, {v} a verb and {base} the same without its s. Those of other forms have the names of their nodes'
fields in `grammar`, or numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from compecon.tasks.made.words import Sort

_BE: tuple[Sort, ...] = ("adjective", "noun")
_ANYTHING: tuple[Sort, ...] = ("adjective", "noun", "film")
_THING: tuple[Sort, ...] = ("noun", "film")


@final
@dataclass(frozen=True)
class Form:
    """A sentence with slots."""

    pattern: str  # its words, with slots for `str.format`
    takes: tuple[Sort, ...] = ()  # sorts of qualities that fit it; empty if its slots are whole clauses
    is_new: bool = False  # whether train and dev are without it


def _forms(old: Iterable[str], new: Iterable[str], takes: tuple[Sort, ...] = ()) -> tuple[Form, ...]:
    return (*(Form(words, takes) for words in old), *(Form(words, takes, is_new=True) for words in new))


PLAIN = "{s} {be} {q}"
ASSERTIONS = (
    *_forms(
        (PLAIN, PLAIN, "I found {s} {q}"),
        (
            "nobody can deny that {s} {be} {q}",
            "what stays with me is that {s} {be} {q}",
            "more than once I called {s} {q}",
        ),
        _BE,
    ),
    *_forms(
        (),
        (
            "{s} could not be more {q}",
            "I cannot think of anything as {q} as {s}",
            "I was struck by how {q} {s} {be}",
            "I have seldom found anything as {q} as {s}",
        ),
        ("adjective",),
    ),
    *_forms(
        ("{s} {v}",),
        ("{s} {v} from the first minute to the last", "it would be wrong to say that {s} {do} not {base}"),
        ("verb",),
    ),
)
DENIALS = (
    *_forms(
        ("{s} {be} not {q}", "{s} {be} never {q}", "{s} {be} far from {q}", "nobody could call {s} {q}"),
        ("{s} {be} anything but {q}", "{s} {be} by no means {q}", "it would be wrong to call {s} {q}"),
        _BE,
    ),
    *_forms(("there is nothing {q} about {s}",), ("I cannot see what should be {q} about {s}",), ("adjective",)),
    *_forms(("{s} never {v}", "{s} {do} not {base}"), ("at no point {do} {s} {base}",), ("verb",)),
)
LISTS = _forms(("{0} and {1}", "{0}, {1}, and {2}"), ())
AGREEMENTS = (
    *LISTS,
    *_forms(("{0}; {1}", "{0}. Also, {1}"), ("{0}; what is more, {1}", "{0}, and on top of that {1}")),
)
CONCESSIONS = _forms(
    (
        "although {aside}, {verdict}",
        "{verdict}, although {aside}",
        "{aside}, but {verdict}",
        "while {aside}, {verdict}",
        "{aside}; even so, {verdict}",
        "{verdict}, even though {aside}",
    ),
    (
        "I admit that {aside}, and still {verdict}",
        "{verdict}, never mind that {aside}",
        "however true it is that {aside}, {verdict}",
        "that {aside} does not change the fact that {verdict}",
    ),
)
HEARSAY = _forms(
    ("everyone told me that it was {q}", "the critics say that it is {q}", "the poster calls it {q}"), (), _ANYTHING
)
CONFIRMED = _forms(
    (
        "everyone told me that it was {q}, and everyone was right",
        "the critics say that it is {q}, and I agree",
        "is it {q}? Yes",
        "I had heard that it was {q}, and so it is",
    ),
    (
        "whoever said that it was {q} was not exaggerating",
        "I refused to believe that it was {q} until I saw it for myself",
        "is it {q}? From the opening to the credits",
        "all who told me that it was {q} were right",
        "I have read that it is {q}, and every word of that is true",
    ),
    _ANYTHING,
)
REJECTED = _forms(
    (
        "everyone told me that it was {q}; it is not",
        "the critics say that it is {q}, and I disagree",
        "is it {q}? No",
        "I had heard that it was {q}, which is not true",
    ),
    (
        "whoever said that it was {q} must have seen another film",
        "I believed that it was {q} until I saw it for myself",
        "is it {q}? Not for a second",
        "I have read that it is {q}, which is the opposite of the truth",
    ),
    _ANYTHING,
)
CONTRASTS = (
    *_forms(
        (
            "the first film was {other}; this one is {this}",
            "the book is {other}, but the film is {this}",
            "unlike the original, which was {other}, this remake is {this}",
            "this one is {this}, unlike the first, which was {other}",
        ),
        (
            "people who found the book {other} will find the film {this}",
            "gone is everything that made the first film {other}: this one is {this}",
        ),
        _BE,
    ),
    *_forms(
        (
            "I expected {other} and got {this}",
            "I was promised {other}; what I saw was {this}",
            "it could have been {other}, but it is {this}",
            "it is not {other} but {this}",
        ),
        (
            "it set out to be {other} and ended up as {this}",
            "what was sold to us as {other} turns out to be {this}",
            "instead of {other} the director has made {this}",
        ),
        _THING,
    ),
)
