"""What a foreign tokenizer may use: the same numbers in its process and in the one that watches it."""

from __future__ import annotations

from compecon.children.limited import Limits

LIMITS = Limits()
# A character of three bytes that compatibility normalization spells out becomes some fifty byte-level tokens at most.
MOST_TOKENS_A_CHARACTER, SPARE_TOKENS = 60, 1000
ROWS = 256  # texts in one question: what a row may cost together, and how many are read again to find the bad one
