"""The structure of a made review: what is claimed, and what becomes of it in the sentence.

Whether a review praises follows from its structure alone:

    Claim        what is said of the subject, or its opposite if denied
    Agreement    what all of its parts say
    Concession   what the verdict says; the aside says the opposite
    Mention      what others say of the film if it is confirmed, else the opposite
    Contrast     what is said of this film; something else is the opposite
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

from compecon.tasks.made.forms import Form
from compecon.tasks.made.words import Quality, Subject


@final
@dataclass(frozen=True)
class Claim:
    """Something said of a part of a film, or of the whole."""

    subject: Subject  # of what
    quality: Quality  # what
    degree: str  # "very", or empty
    form: Form  # how
    denied: bool  # whether the form denies it

    def words(self) -> str:
        """Its text."""
        be, do = ("are", "do") if self.subject.plural else ("is", "does")
        said, base = self.quality.words, self.quality.plural
        verb = base if self.subject.plural else said
        quality = f"{self.degree} {said}" if self.degree else said
        return self.form.pattern.format(s=self.subject.words, be=be, do=do, q=quality, v=verb, base=base)


@final
@dataclass(frozen=True)
class Agreement:
    """Claims that all praise or all blame."""

    parts: tuple[Claim, ...]
    form: Form

    def words(self) -> str:
        """Its text."""
        return self.form.pattern.format(*(part.words() for part in self.parts))


@final
@dataclass(frozen=True)
class Hearsay:
    """What others say of the film, without a word on whether it is so."""

    quality: Quality
    form: Form

    def words(self) -> str:
        """Its text."""
        return self.form.pattern.format(q=self.quality.words)


@final
@dataclass(frozen=True)
class Concession:
    """One thing granted, the opposite maintained."""

    aside: Claim | Agreement | Hearsay
    verdict: Claim | Agreement
    form: Form

    def words(self) -> str:
        """Its text."""
        return self.form.pattern.format(aside=self.aside.words(), verdict=self.verdict.words())


@final
@dataclass(frozen=True)
class Mention:
    """What others say of the film, and whether it is so."""

    said: Quality
    confirmed: bool
    form: Form

    def words(self) -> str:
        """Its text."""
        return self.form.pattern.format(q=self.said.words)


@final
@dataclass(frozen=True)
class Contrast:
    """Something else, such as another film or a hope, and this film, which is the opposite."""

    other: Quality
    this: Quality
    form: Form

    def words(self) -> str:
        """Its text."""
        return self.form.pattern.format(other=self.other.words, this=self.this.words)


Node = Claim | Agreement | Hearsay | Concession | Mention | Contrast


@final
@dataclass(frozen=True)
class Review:
    """A sentence or two on a film."""

    core: Node  # what counts
    good: bool  # whether it praises the film
    before: str = ""  # a neutral sentence before it, or empty
    opener: str = ""  # a neutral phrase that opens it, or empty
    after: str = ""  # a neutral sentence after it, or empty

    @cached_property
    def said(self) -> str:
        """What counts, in words."""
        return self.core.words()

    @cached_property
    def text(self) -> str:
        """The review as it is read."""
        main = f"{self.opener}, {self.said}" if self.opener else self.said
        return " ".join(f"{part[0].upper()}{part[1:]}." for part in (self.before, main, self.after) if part)
