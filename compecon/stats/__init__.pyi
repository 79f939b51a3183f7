from compecon.stats.inequality import (
    DistributionSummary as DistributionSummary,
    effective_number as effective_number,
    entropy as entropy,
    gini as gini,
    herfindahl as herfindahl,
    summary as summary,
)
from compecon.stats.intervals import (
    Interval as Interval,
    bootstrapped as bootstrapped,
    mean_interval as mean_interval,
    wilson as wilson,
)
from compecon.stats.lorenz import (
    bottom_share as bottom_share,
    lorenz_curve as lorenz_curve,
    top_share as top_share,
)
from compecon.stats.pareto import (
    hypervolume as hypervolume,
    pareto_front as pareto_front,
    tied_with_front as tied_with_front,
)
from compecon.stats.received_attention import (
    received as received,
    retained_mass as retained_mass,
)
