"""The dashboard's frame and shared parts. Pages import from here; nothing in compecon does, but its command line."""
