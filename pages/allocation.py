"""Share a scarce budget among queries at one price."""

from app.allocation.allocation_page import allocation_page

allocation_page()
