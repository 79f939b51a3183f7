"""The only way to a model: what may be loaded, loading it, and the list of what there is.

Nothing is imported here: :mod:`compecon.checkpoints.catalog` and :mod:`compecon.checkpoints.gate.intake` read
checkpoints without loading torch or transformers. Start at ``from compecon.checkpoints.load import load_checkpoint``.
"""
