"""The structure of a made review: what is claimed, and what becomes of it in the sentence.

Whether a review praises follows from its structure alone:

    Claim        what is said of the subject, or its opposite if denied
    Agreement    what all of its parts say
    Concession   what the verdict says; the aside says the opposite
    Mention      what others say of the film if it is confirmed, else the opposite
    Contrast     what is said of this film; something else is the opposite
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import final

from typing_extensions import override

from compecon.tasks.made.forms import Form
from compecon.tasks.made.words import Quality, Subject


class Node(ABC):
    """A part of a review."""

    @abstractmethod
    def words(self, *, bare: bool = False) -> str:
        """Its text.

        Args:
            bare: With the kinds of its words instead of those that could be others: equal ones are the same form.
        """


@final
@dataclass(frozen=True)
class Claim(Node):
    """Something said of a part of a film, or of the whole.

    Attributes:
        subject: Of what.
        quality: What.
        degree: "very", or empty.
        form: How.
        denied: Whether the form denies it.
    """

    subject: Subject
    quality: Quality
    degree: str
    form: Form
    denied: bool

    @override
    def words(self, *, bare: bool = False) -> str:
        if bare:
            return self.form.pattern.format(s="SUBJECT", be="BE", do="DO", q="QUALITY", v="VERB", base="VERB")
        be, do = ("are", "do") if self.subject.plural else ("is", "does")
        said, base = self.quality.words, self.quality.plural
        verb = base if self.subject.plural else said
        quality = f"{self.degree} {said}" if self.degree else said
        return self.form.pattern.format(s=self.subject.words, be=be, do=do, q=quality, v=verb, base=base)


@final
@dataclass(frozen=True)
class Agreement(Node):
    """Claims that all praise or all blame."""

    parts: tuple[Claim, ...]
    form: Form

    @override
    def words(self, *, bare: bool = False) -> str:
        return self.form.pattern.format(*(part.words(bare=bare) for part in self.parts))


@final
@dataclass(frozen=True)
class Hearsay(Node):
    """What others say of the film, without a word on whether it is so."""

    quality: Quality
    form: Form

    @override
    def words(self, *, bare: bool = False) -> str:
        return self.form.pattern.format(q="QUALITY" if bare else self.quality.words)


@final
@dataclass(frozen=True)
class Concession(Node):
    """One thing granted, the opposite maintained."""

    aside: Claim | Agreement | Hearsay
    verdict: Claim | Agreement
    form: Form

    @override
    def words(self, *, bare: bool = False) -> str:
        return self.form.pattern.format(aside=self.aside.words(bare=bare), verdict=self.verdict.words(bare=bare))


@final
@dataclass(frozen=True)
class Mention(Node):
    """What others say of the film, and whether it is so."""

    said: Quality
    confirmed: bool
    form: Form

    @override
    def words(self, *, bare: bool = False) -> str:
        return self.form.pattern.format(q="QUALITY" if bare else self.said.words)


@final
@dataclass(frozen=True)
class Contrast(Node):
    """Something else, such as another film or a hope, and this film, which is the opposite."""

    other: Quality
    this: Quality
    form: Form

    @override
    def words(self, *, bare: bool = False) -> str:
        other, this = ("QUALITY", "QUALITY") if bare else (self.other.words, self.this.words)
        return self.form.pattern.format(other=other, this=this)


@final
@dataclass(frozen=True)
class Review:
    """A sentence or two on a film.

    Attributes:
        core: What counts.
        good: Whether it praises the film.
        before: A neutral sentence ahead, or empty.
        opener: A neutral phrase ahead, or empty.
        after: A neutral sentence behind, or empty.
    """

    core: Node
    good: bool
    before: str = ""
    opener: str = ""
    after: str = ""

    @cached_property
    def said(self) -> str:
        """What counts, in words."""
        return self.core.words()

    @cached_property
    def text(self) -> str:
        """The review as it is read."""
        main = f"{self.opener}, {self.said}" if self.opener else self.said
        return " ".join(f"{part[0].upper()}{part[1:]}." for part in (self.before, main, self.after) if part)
