"""Model cards: README.md with a header that the Hub reads, a title, and sections. Every card is written here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z][\w./-]*\Z", re.ASCII)  # a YAML scalar without quotes


def model_card(header: Mapping[str, Any], title: str, sections: Iterable[str]) -> str:
    """README.md of a checkpoint.

    Args:
        header: JSON values by name; empty ones are left out.
        title: A line of Markdown.
        sections: Markdown; empty ones are left out.
    """
    entries = "".join(f"{name}:{_yaml(value)}\n" for name, value in header.items() if value)
    return "\n\n".join((f"---\n{entries}---", f"# {title}", *filter(None, sections))) + "\n"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    first, *others = (f"| {' | '.join(row)} |" for row in (heads, *rows))
    return "\n".join((first, f"|{'---|' * len(heads)}", *others))


def with_interval(value: float, low: float | None, high: float | None) -> str:
    """A number with four digits, and its interval in brackets if there is one."""
    return f"{value:.4g}" if low is None or high is None else f"{value:.4g} [{low:.4g}, {high:.4g}]"


def plain_line(text: str) -> str:
    """Text on one line, escaped so that it cannot become markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _yaml(value: Any) -> str:
    """A value of the header; JSON is YAML."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "".join(f"\n-{_yaml(each)}" for each in value)
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in ("true", "false", "yes", "no", "null"):
        return f" {value}"
    return f" {json.dumps(value, ensure_ascii=False)}"
