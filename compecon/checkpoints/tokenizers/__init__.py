"""Tokenizers: bundled ones in this process, all others in a limited process of their own."""
