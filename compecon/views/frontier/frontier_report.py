"""A page about the frontier that is shown: the question, the answer, the points, and where the numbers are from."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from compecon.views.frontier.advice import Advice
from compecon.views.frontier.drawn import FrontierMark, FrontierView
from compecon.views.frontier.frontier_points import Reading
from compecon.views.frontier.names import change_in_points, cost_in_words, in_points, interval, task_title
from compecon.views.frontier.quoted_points import quoted_statements

_MOST_ROWS = 40
_ORDER = ("front", "tied", "running", "dominated", "failed", "quoted")


@final
@dataclass(frozen=True)
class Section:
    """A part of the page: its heading, sentences, and a table."""

    title: str
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@final
@dataclass(frozen=True)
class FrontierReport:
    """The page, as plain text that is not escaped yet."""

    title: str
    sections: tuple[Section, ...]


def frontier_report(
    view: FrontierView, advice: Advice | None = None, question: str = "", provenance: Mapping[str, str] | None = None
) -> FrontierReport:
    """Put the page together.

    Args:
        view: What is shown.
        advice: What was advised, if a question was asked.
        question: The question, in words.
        provenance: More about where this is from, such as versions and the day.
    """
    asked = question or ("Which checkpoint should I choose?" if advice else "What is shown?")
    sections = (
        Section("Question", (asked, f"Cost: {view.x_title}.", f"Quality: {view.y_title}.")),
        Section("Answer", advice.sentences if advice else ()),
        _front(view),
        _families(view),
        _points(view),
        _signs(view),
        _stated(view),
        Section("Not shown", (), ("name", "why"), view.left_out[:_MOST_ROWS]),
        Section("How to read it", view.notes),
        _provenance(view, provenance or {}),
    )
    kept = tuple(section for section in sections if section.lines or section.rows)
    return FrontierReport(f"Frontier: {task_title(view.axes.task.partition('@')[0])}", kept)


def report_html(report: FrontierReport) -> str:
    """The page as HTML without scripts, styles or links; every name and number is escaped."""
    parts = [f"<h1>{html.escape(report.title)}</h1>"]
    for section in report.sections:
        parts.append(f"<h2>{html.escape(section.title)}</h2>")
        if section.lines:
            parts.append(f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in section.lines)}</ul>")
        if section.rows:
            head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in section.columns)
            rows = "".join(f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in row)}</tr>" for row in section.rows)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
    return f"<article>{''.join(parts)}</article>"


def _front(view: FrontierView) -> Section:
    on = {mark.point.key: mark for mark in view.marks}
    rows = tuple((on[key].point.name, _x(view, on[key]), _quality(view, on[key].y)) for key in view.front)
    return Section("Front of all measured points", (), ("name", "cost", view.metric), rows)


def _families(view: FrontierView) -> Section:
    known = [(family, family.volume) for family in view.families if family.volume is not None]
    known.sort(key=lambda each: -each[1])
    rows = tuple((family.name, f"{len(family.marks)}", f"{volume:.4f}") for family, volume in known)
    x, y = view.reference
    line = (
        f"Area dominated, relative to a reference at {cost_in_words(view.axes.x, x)} (scaled to 1) and "
        f"{_quality(view, Reading(y))}."
    )
    return Section("Hypervolume", (line,) if rows else (), ("family", "points", "area"), rows)


def _points(view: FrontierView) -> Section:
    marks = sorted(view.marks, key=lambda m: (_ORDER.index(m.standing), -view.sign * m.y.value, m.point.key))
    more = len(marks) - _MOST_ROWS
    rows = tuple(
        (mark.point.name, mark.point.family, mark.standing, _x(view, mark), _quality(view, mark.y), mark.point.setting)
        for mark in marks[:_MOST_ROWS]
    )
    lines = (f"{more} more points are not on this page; the table's CSV has all of them.",) if more > 0 else ()
    return Section("Points", lines, ("name", "family", "standing", "cost", view.metric, "setting"), rows)


def _x(view: FrontierView, mark: FrontierMark) -> str:
    return cost_in_words(view.axes.x, mark.x.value)


def _quality(view: FrontierView, y: Reading) -> str:
    words = change_in_points if view.axes.y == "change" else in_points
    return words(y.value, view.metric) + interval(y, view.metric)


def _signs(view: FrontierView) -> Section:
    rows = tuple((mark.point.name, sign) for mark in view.marks for sign in mark.point.signs)
    return Section("Signs of failure", (), ("name", "observation"), rows[:_MOST_ROWS])


def _stated(view: FrontierView) -> Section:
    """What others stated without a point, where others' points are shown."""
    is_quoting = any(mark.standing == "quoted" for mark in view.marks)
    rows = tuple((one.name, one.stated, one.source) for one in quoted_statements()) if is_quoting else ()
    return Section("Quoted from others, without a point in the plot", (), ("method", "stated", "source"), rows)


def _provenance(view: FrontierView, provenance: Mapping[str, str]) -> Section:
    shown = (mark for mark in view.marks if mark.standing in ("front", "quoted", "running"))
    sources = dict.fromkeys(f"{mark.point.name}: {mark.point.source}" for mark in shown)
    return Section("Provenance", (*(f"{name}: {value}" for name, value in provenance.items()), *sources))
