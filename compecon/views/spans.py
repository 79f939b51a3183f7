"""Spans of time, moments, sizes and signed numbers in the words of a screen."""

from __future__ import annotations

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
_UNITS = ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min"), (1.0, "s"))
_LONG = 120.0  # seconds from which minutes are shown; minutes from which hours are, and so on
_PRECISE = 600.0  # below this, minutes come with their seconds


def duration(seconds: float) -> str:
    """A span of time: "under 1 s", "45 s", "2 min 30 s", "12 min", "3 h 20 min", "2.5 days".

    Args:
        seconds: Any number; below 0 counts as 0.
    """
    if seconds < 1:
        return "under 1 s"
    if seconds < _LONG:
        return f"{seconds:.0f} s"
    if seconds < _PRECISE:
        return f"{seconds // _MINUTE:.0f} min {int(seconds % _MINUTE):02d} s"
    minutes = round(seconds / _MINUTE)
    if minutes < _LONG:
        return f"{minutes} min"
    if seconds < 2 * _DAY:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{seconds / _DAY:.1f} days"


def span(low: float, high: float) -> str:
    """A range of time in one unit: "40–60 s", "2–3 min", "1.5–2.5 h"; one duration if both ends read alike.

    Args:
        low: Seconds.
        high: Seconds, at least `low`.
    """
    size, unit = next((each for each in _UNITS if high >= 1.5 * each[0]), _UNITS[-1])
    ends = [_two_digits(max(0.0, end) / size) for end in (low, high)]
    if high < 1:
        return "under 1 s"
    return f"about {ends[1]} {unit}" if ends[0] == ends[1] else f"{ends[0]}–{ends[1]} {unit}"


def ago(seconds: float) -> str:
    """How long something is past: "just now", "5 min ago", "3 days ago".

    Args:
        seconds: Below 0 (a clock that was set back) counts as now.
    """
    if seconds < _MINUTE:
        return "just now"
    for size, unit in _UNITS:
        if seconds >= size:
            n = int(seconds // size)
            return f"{n} {'day' if unit == 'days' and n == 1 else unit} ago"
    return "just now"


def size(n_bytes: float) -> str:
    """Bytes as a person says them: "850 kB", "12 MB", "1.4 GB"."""
    if n_bytes >= 1e9:
        return f"{n_bytes / 1e9:.1f} GB"
    return f"{n_bytes / 1e6:.0f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} kB"


def signed(value: float, form: str) -> str:
    """A number in a format such as "+.1f", with a minus sign where there is one."""
    return f"{value:{form}}".replace("-", "−")


def _two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 5 or abs(value - round(value)) < 0.05 else f"{value:.1f}"
