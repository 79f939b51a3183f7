"""Where things of ours are on this server."""

PREFIX = "/compecon"
CANVASES = ("shared", "front", "canvas", "compare", "frontier", "allocation", "help")  # folders that browsers may read
PAGES = ("", "compare", "frontier", "train", "allocation", "help")  # the first is the one that opens
