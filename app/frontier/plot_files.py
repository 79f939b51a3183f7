"""The plot of the Frontier page, and its report, as pages that stand alone."""

from __future__ import annotations

import html

from app.frontier.frontier_plot import frontier_figure
from app.parts.plotly_figures import go
from compecon.views.frontier.drawn import FrontierView
from compecon.views.frontier.frontier_report import FrontierReport, report_html

_PAGE_STYLE = (
    "body { max-width: 1100px; margin: 24px auto; padding: 0 16px; color: #1f2430; background: #fff; "
    "font: 15px/1.5 system-ui, sans-serif } table { border-collapse: collapse; font-size: 13px } "
    "th, td { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid #dfe3ea; vertical-align: top }"
)


def plot_page(view: FrontierView) -> str:
    """The plot alone: with zoom, hover and legend."""
    return str(_sized(view).to_html(include_plotlyjs=True, full_html=True))


def report_page(view: FrontierView, report: FrontierReport) -> str:
    """The report, and the plot below it."""
    plot = _sized(view).to_html(include_plotlyjs=True, full_html=False)
    head = f'<meta charset="utf-8"><title>{html.escape(report.title)}</title><style>{_PAGE_STYLE}</style>'
    body = f"{report_html(report)}<h2>Plot</h2>{plot}"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _sized(view: FrontierView) -> go.Figure:
    return frontier_figure(view).update_layout(height=620)
