from compecon.allocation.bounded import Allocation as Allocation
from compecon.allocation.clearing import (
    Clearing as Clearing,
    clear as clear,
)
from compecon.allocation.online import OnlineMarket as OnlineMarket
from compecon.allocation.rules import RULES as RULES
from compecon.allocation.rules.cascade import Cascade as Cascade
from compecon.allocation.rules.elastic_split import ElasticSplit as ElasticSplit
from compecon.allocation.rules.exact_scan import ExactScan as ExactScan
from compecon.allocation.rules.greedy import Greedy as Greedy
from compecon.allocation.rules.knapsack_exact import KnapsackExact as KnapsackExact
from compecon.allocation.rules.oracle import Oracle as Oracle
from compecon.allocation.rules.proportional import Proportional as Proportional
from compecon.allocation.rules.repaired import RepairedShadowPrice as RepairedShadowPrice
from compecon.allocation.rules.rule import Rule as Rule
from compecon.allocation.rules.shadow_price import ShadowPrice as ShadowPrice
from compecon.allocation.rules.uniform import Uniform as Uniform
from compecon.allocation.rules.value_of_computation import ValueOfComputation as ValueOfComputation
from compecon.allocation.streams.bundled_streams import (
    list_streams as list_streams,
    open_stream as open_stream,
)
from compecon.allocation.streams.stream import (
    Stream as Stream,
    read_stream as read_stream,
)
from compecon.allocation.utilities.envelope import Envelope as Envelope
from compecon.allocation.utilities.fit import fit_rollouts as fit_rollouts
from compecon.allocation.utilities.rollouts import Rollouts as Rollouts
from compecon.allocation.utilities.step_curves import MeasuredCurve as MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge as ShiftedSurge
from compecon.allocation.utilities.thresholded import ThresholdedCurve as ThresholdedCurve
from compecon.allocation.utilities.truncation import Truncation as Truncation
from compecon.allocation.utilities.utility import Utility as Utility
