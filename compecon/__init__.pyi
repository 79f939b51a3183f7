from compecon import (
    allocation as allocation,
    attention as attention,
    checkpoints as checkpoints,
    compression as compression,
    evaluation as evaluation,
    incentives as incentives,
    latency as latency,
    serving as serving,
    stats as stats,
    tasks as tasks,
    training as training,
)
from compecon.allocation.online import OnlineMarket as OnlineMarket
from compecon.allocation.rules.shadow_price import ShadowPrice as ShadowPrice
from compecon.allocation.rules.uniform import Uniform as Uniform
from compecon.allocation.utilities.step_curves import MeasuredCurve as MeasuredCurve
from compecon.allocation.utilities.thresholded import ThresholdedCurve as ThresholdedCurve
from compecon.attention.budget import (
    Budget as Budget,
    KeyBudget as KeyBudget,
    PerHead as PerHead,
    PerLayer as PerLayer,
    PerRow as PerRow,
)
from compecon.attention.hooks import (
    budgeted_attention as budgeted_attention,
    recorded_attention as recorded_attention,
)
from compecon.attention.key_budget_sweep import sweep as sweep
from compecon.attention.policies.first_k import FirstK as FirstK
from compecon.attention.policies.policy import Policy as Policy
from compecon.attention.policies.random_k import RandomK as RandomK
from compecon.attention.policies.sink_recent import SinkRecent as SinkRecent
from compecon.attention.policies.top_k import TopK as TopK
from compecon.attention.policies.top_mass import TopMass as TopMass
from compecon.checkpoints.catalog import list_checkpoints as list_checkpoints
from compecon.checkpoints.load import load_checkpoint as load_checkpoint
from compecon.compression.compact_model import compact as compact
from compecon.compression.prune_model import prune as prune
from compecon.errors import CompeconError as CompeconError
from compecon.evaluation.evaluate_model import evaluate as evaluate
from compecon.incentives.costs.effective_keys import EffectiveKeys as EffectiveKeys
from compecon.incentives.costs.macs import ExpectedMacs as ExpectedMacs
from compecon.incentives.gates import Gates as Gates
from compecon.incentives.price import (
    DualAscent as DualAscent,
    FixedPrice as FixedPrice,
)
from compecon.serving.served import route as route
from compecon.stats.inequality import (
    effective_number as effective_number,
    entropy as entropy,
    gini as gini,
)
from compecon.stats.lorenz import lorenz_curve as lorenz_curve
from compecon.stats.pareto import pareto_front as pareto_front
from compecon.training.elastic import train_elastic as train_elastic
from compecon.training.incentive import train_incentive as train_incentive

__version__: str
