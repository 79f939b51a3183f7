"""The columns that a file of queries may have, under the names that logs give them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Column:
    """A column that is read; all others are ignored. Case and blanks around a name do not matter."""

    name: str
    also: tuple[str, ...]  # other names for it; of several that a file has the first counts
    holds: str  # what its cells say

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the first one first."""
        return (self.name, *self.also)


LOG_COLUMNS = (
    Column("query", ("query_id", "prompt", "question", "messages"), "id of the query, or its text (kept as a hash)"),
    Column("correct", ("is_correct", "score"), "0 to 1, or true or false; may be empty where the answer was cut"),
    Column("model", (), "names the level: a model"),
    Column("effort", ("reasoning_effort",), "names the level: an effort"),
    Column("action", (), "names the level: anything else that can be chosen"),
    Column("budget", (), "the limit that the answer had"),
    Column("tokens", ("total_tokens",), "tokens used"),
    Column("input_tokens", ("prompt_tokens",), "tokens read; with a price table"),
    Column("output_tokens", ("completion_tokens",), "tokens written; with a price table"),
    Column("cost", (), "what the answer cost, in money"),
    Column("cut", ("truncated",), "1 or true if the limit ended the answer"),
    Column("finish_reason", ("stop_reason",), "length, max_tokens: the limit ended the answer"),
)
"""Of answers; a row each, in any order."""

PARAMETERS = (
    Column("threshold", (), "tokens before the first value"),
    Column("slope", (), "of a surge"),
    Column("decay", (), "per token"),
    Column("ceiling", (), "chance of a correct answer without a limit"),
)
"""Of curves that are given by a formula; a row for each query."""

LEVEL_NAMES = ("model", "effort", "action")
CUT_WORDS = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "token_limit"})
_ALL = (*LOG_COLUMNS, *PARAMETERS)
KNOWN = tuple(name for column in _ALL for name in column.names)


def sources(there: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Each column that a file has, and the names that stand for it there, the one that counts first."""
    present = frozenset(there)
    found = {column.name: tuple(name for name in column.names if name in present) for column in _ALL}
    return {name: names for name, names in found.items() if names}


def other_names(name: str) -> str:
    """What else a column may be called, a sentence; "" if nothing."""
    also = next(column.also for column in _ALL if column.name == name)
    return f"It may also be called {', '.join(also)}." if also else ""
