"""Quality against cost: which checkpoint to take, and what it gives up."""

from app.frontier.frontier_page import frontier_page

frontier_page()
