"""Runs that belong together: a grid, a list, or points that are proposed."""
