"""A page about the frontier, as Markdown and as HTML."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

from compecon.views.frontier.advice import advise
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.frontier_report import Section, frontier_report, report_html
from compecon.views.frontier.frontier_view import frontier_view
from compecon.views.frontier.limits import Wish
from tests.support.frontier import a_point, dense

AXES = FrontierAxes("sst2", "share")
EVIL = "<img src=x onerror=alert(1)> | `x` [a](javascript:x) *b* $c$"


def test_a_page_has_question_answer_points_front_and_provenance() -> None:
    view = frontier_view([dense(0.9, source="card of dense"), a_point("small", 40.0, 0.8, signs=("Cliff: x",))], AXES)
    advice = advise(view, Wish(most_share=0.5))
    report = frontier_report(view, advice, "Half of the compute?", {"made": "today"})
    sections = {section.title: section for section in report.sections}
    assert report.title == "Frontier: Sentiment (SST-2)"
    assert sections["Question"].lines[0] == "Half of the compute?"
    assert sections["Answer"] == Section("Answer", advice.sentences)
    assert [row[0] for row in sections["Front of all measured points"].rows] == ["small", "dense"]
    assert [row[:3] for row in sections["Points"].rows] == [
        ("dense", "dense", "front"), ("small", "incentive", "front"),
    ]  # fmt: skip
    assert sections["Signs of failure"].rows == (("small", "Cliff: x"),)
    assert sections["Provenance"].lines[:2] == ("made: today", "dense: card of dense")
    assert sections["How to read it"].lines == view.notes


def test_an_empty_frontier_makes_a_page_too() -> None:
    report = frontier_report(frontier_view((), AXES))
    assert "No points" in report_html(report)
    assert "<table>" not in report_html(report)


def test_a_page_stays_one_page() -> None:
    view = frontier_view([a_point(f"p{n}", 10.0 + n, n / 100) for n in range(100)], AXES)
    [points] = [section for section in frontier_report(view).sections if section.title == "Points"]
    assert len(points.rows) == 40
    assert "60 more points" in points.lines[0]


def test_names_are_text_and_nothing_else() -> None:
    point = replace(a_point(), name=EVIL, source=EVIL, family=EVIL, signs=(EVIL,))
    report = frontier_report(frontier_view([point], AXES, [(EVIL, EVIL)]), None, EVIL, {EVIL: EVIL})
    page = report_html(report)
    assert "<img" not in page
    assert set(re.findall(r"</?([a-z0-9]+)", page)) <= {
        "article", "h1", "h2", "ul", "li", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip


def test_the_views_load_neither_torch_nor_a_screen() -> None:
    modules = "sources, frontier_report, ablation, price_study, proxies"
    heavy = "{'torch', 'streamlit', 'plotly', 'transformers'}"
    code = f"import sys; from compecon.views.frontier import {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
