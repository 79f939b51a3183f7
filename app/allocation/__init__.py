"""The Allocation page."""
