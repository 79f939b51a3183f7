"""Work that outlives the page that asked for it: runs are folders, written by workers, read by anyone.

Import from the module of each thing; nothing is imported here. Nothing in this package loads torch: a worker that waits
for its turn is a bare interpreter, and a list of a thousand runs is read in a moment.
"""
