"""The guide that comes with compecon."""

from app.help.help_page import help_page

help_page()
