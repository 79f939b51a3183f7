"""The only way to a model: what may be loaded, loading it, and the list of what there is.

Listing and reading checkpoints loads neither torch nor transformers; `load_checkpoint` does.
"""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
