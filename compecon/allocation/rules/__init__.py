"""Rules for sharing a budget, one a file."""
