"""What a smaller model saves in seconds, and what a layer of any size takes: time as people wait for it.

MACs are counted on shapes (`compecon.flops`); time is measured, on one device, and holds for that device alone.
"""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
