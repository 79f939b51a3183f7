from compecon.incentives.costs import COSTS as COSTS
from compecon.incentives.costs.attention_l1 import AttentionL1 as AttentionL1
from compecon.incentives.costs.cost import ComputeCost as ComputeCost
from compecon.incentives.costs.effective_keys import EffectiveKeys as EffectiveKeys
from compecon.incentives.costs.ffn_l1 import FfnL1 as FfnL1
from compecon.incentives.costs.group_lasso import GroupLasso as GroupLasso
from compecon.incentives.costs.latency import ExpectedLatency as ExpectedLatency
from compecon.incentives.costs.macs import ExpectedMacs as ExpectedMacs
from compecon.incentives.costs.score_l1 import ScoreL1 as ScoreL1
from compecon.incentives.gates import (
    Gates as Gates,
    gated as gated,
    starting_gates as starting_gates,
)
from compecon.incentives.price import (
    DualAscent as DualAscent,
    FixedPrice as FixedPrice,
    Price as Price,
)
