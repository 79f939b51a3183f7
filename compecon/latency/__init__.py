"""What a smaller model saves in seconds, and what a layer of any size takes: time as people wait for it.

MACs are counted on shapes (`compecon.flops`); time is measured, on one device, and holds for that device alone.
"""

from compecon.latency.blocks import BlockShape, Workload, measure_blocks
from compecon.latency.ratio import LatencyRatio, compare_latency
from compecon.latency.table import LatencyCurve, LatencyTable

__all__ = [
    "BlockShape",
    "LatencyCurve",
    "LatencyRatio",
    "LatencyTable",
    "Workload",
    "compare_latency",
    "measure_blocks",
]
