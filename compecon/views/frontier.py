"""The Frontier page as plain data: which point is where, which are on the front, and what is not shown and why."""

from __future__ import annotations

from compecon.views.frontier_parts import AxisChoice as AxisChoice
from compecon.views.frontier_parts import BudgetCurve as BudgetCurve
from compecon.views.frontier_parts import Family as Family
from compecon.views.frontier_parts import FrontierAxes as FrontierAxes
from compecon.views.frontier_parts import FrontierMark as FrontierMark
from compecon.views.frontier_parts import FrontierView as FrontierView
from compecon.views.frontier_parts import Quality as Quality
from compecon.views.frontier_parts import Standing as Standing
from compecon.views.frontier_parts import TaskChoice as TaskChoice
