"""Work that outlives the page that started it: runs are folders, written by workers, read by anyone.

Import from the modules. None of them loads torch: a worker that waits for its turn is a bare interpreter, and a list of
a thousand runs is read in a moment.
"""
