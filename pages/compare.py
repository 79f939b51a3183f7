"""Two checkpoints on one text, on a data set, or several in a table."""

from app.compare.compare_page import compare_page

compare_page()
