"""How much time a smaller model saves, and how long a layer of any size takes.

MACs are counted on shapes (`compecon.flops`); time is measured, on one device, and holds for that device alone.
"""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
