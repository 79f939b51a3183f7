from compecon.attention.attention_modules import AttentionModule as AttentionModule
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
    require_routed as require_routed,
)
from compecon.attention.key_budget_sweep import (
    SweepPoint as SweepPoint,
    sweep as sweep,
)
from compecon.attention.policies import POLICIES as POLICIES
from compecon.attention.policies.first_k import FirstK as FirstK
from compecon.attention.policies.policy import Policy as Policy
from compecon.attention.policies.random_k import RandomK as RandomK
from compecon.attention.policies.sink_recent import SinkRecent as SinkRecent
from compecon.attention.policies.top_k import TopK as TopK
from compecon.attention.policies.top_mass import TopMass as TopMass
from compecon.attention.recorded import LayerAttention as LayerAttention
from compecon.attention.routing import is_routed as is_routed
