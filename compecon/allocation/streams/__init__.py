"""Streams of queries: measured, drawn or read from a file, and what can be predicted of them."""
