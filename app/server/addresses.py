"""Where things of ours are on this server."""

PREFIX = "/compecon"
# Folders that browsers may read.
CANVASES = ("shared", "front", "canvas", "compare", "frontier", "runs", "allocation", "help")
PAGES = ("", "compare", "frontier", "train", "allocation", "help")  # the first is the one that opens
