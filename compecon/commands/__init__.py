"""The commands of `compecon` that train and measure; each imports what it needs when it runs."""
