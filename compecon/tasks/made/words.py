"""The words of the made reviews, all our own: what can be spoken of, and what can be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

Sort = Literal["adjective", "noun", "film", "verb"]


@final
@dataclass(frozen=True)
class Subject:
    """What something is said of."""

    words: str  # "the acting", "the songs"
    plural: bool = False  # whether verbs after it are plural


@final
@dataclass(frozen=True)
class Quality:
    """What is said."""

    words: str  # "dull", "a mess", "a dull film", "falls flat"
    good: bool  # whether it praises
    sort: Sort  # "adjective"; "noun", which any subject can be; "film", which only a whole film can be; or "verb"
    plural: str = ""  # a verb without its s; empty for the others


def _several(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


_SINGULAR = _several(
    "the acting, the story, the plot, the script, the dialogue, the music, the photography, the ending, the pacing, "
    "the second half, the opening, the cast, the editing, the lead performance, the middle part, the humour, "
    "the direction, the first hour"
)
_PLURAL = _several(
    "the jokes, the songs, the characters, the final scenes, the action scenes, the costumes, the actors, "
    "the special effects, the quiet moments"
)
_WHOLE = _several(
    "the film, the film as a whole, this sequel, this comedy, this drama, the whole thing, this thriller, the movie, "
    "this remake, this picture"
)
PARTS = (*map(Subject, _SINGULAR), *(Subject(words, plural=True) for words in _PLURAL))
WHOLES = tuple(map(Subject, _WHOLE))
ALONE = (Subject("it"), Subject("this"))
DEGREES = tuple(_several("very, truly, really, thoroughly, utterly, remarkably, genuinely"))

_PRAISE = _several(
    "superb, brilliant, delightful, wonderful, moving, clever, gripping, charming, beautiful, touching, inspired, "
    "memorable, impressive, excellent, good, great, lovely, fresh, enjoyable, rewarding, masterful, captivating, "
    "convincing, witty, thrilling"
)
_BLAME = _several(
    "dull, awful, dreadful, clumsy, tedious, lifeless, boring, terrible, weak, bad, poor, forgettable, hollow, stale, "
    "pointless, annoying, ugly, disappointing, unconvincing, lazy, painful, mediocre, shallow, joyless, tiresome"
)
_JOYS = _several("a triumph, a joy, a delight, a treat, a success, a pleasure, a gem, a wonder, a revelation, a winner")
_WOES = _several(
    "a mess, a bore, a disaster, a failure, a waste of time, a disappointment, an embarrassment, a chore, a mistake, "
    "a letdown"
)
_DOES_WELL = (
    "works/work, shines/shine, holds together/hold together, rings true/ring true, hits the mark/hit the mark, "
    "delivers/deliver, lifts the heart/lift the heart, pays off/pay off"
)
_DOES_BADLY = (
    "falls flat/fall flat, falls apart/fall apart, drags/drag, misses the mark/miss the mark, wears thin/wear thin, "
    "disappoints/disappoint, rings false/ring false, fails/fail"
)
_GENRES = ("film", "comedy", "thriller", "story")


def _a(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _qualities() -> tuple[Quality, ...]:
    found = []
    for good, adjectives, nouns, verbs in ((True, _PRAISE, _JOYS, _DOES_WELL), (False, _BLAME, _WOES, _DOES_BADLY)):
        found += [Quality(words, good, "adjective") for words in adjectives]
        found += [Quality(words, good, "noun") for words in nouns]
        found += [Quality(_a(f"{words} {genre}"), good, "film") for words in adjectives for genre in _GENRES]
        found += [Quality(one, good, "verb", many) for one, many in (pair.split("/") for pair in _several(verbs))]
    return tuple(found)


QUALITIES = _qualities()

REMARKS = tuple(
    _several(
        "it runs for two hours, I saw it on a Tuesday evening, it is set in a small harbour town, the hall was half "
        "full, my neighbour came along, it was shot in eleven days, we sat in the third row, there is a cat in it, "
        "it is the third film of its director, the story begins on a train, it was made in black and white, a friend "
        "had lent me the disc, most of it takes place in a kitchen, it was on after the news"
    )
)
"""Neutral sentences: nothing in them speaks for or against a film."""

OPENERS = ("for the record", "to my mind", "in short", "if you ask me", "all told")
