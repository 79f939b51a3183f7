from compecon.latency.block_times import (
    BlockShape as BlockShape,
    Workload as Workload,
    measure_blocks as measure_blocks,
)
from compecon.latency.ratio import (
    LatencyRatio as LatencyRatio,
    compare_latency as compare_latency,
)
from compecon.latency.table import (
    LatencyCurve as LatencyCurve,
    LatencyTable as LatencyTable,
)
from compecon.latency.timing import Timing as Timing
