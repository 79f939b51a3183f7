"""Share a scarce budget among queries at one price."""

from app.allocation import allocation_page

allocation_page()
