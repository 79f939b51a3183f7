"""Whole undertakings: the bundle and its family, the frontier experiment, the measured streams."""
