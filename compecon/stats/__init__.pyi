from compecon.stats.inequality import (
    DistributionSummary as DistributionSummary,
    bottom_share as bottom_share,
    effective_number as effective_number,
    entropy as entropy,
    gini as gini,
    herfindahl as herfindahl,
    lorenz_curve as lorenz_curve,
    received as received,
    retained_mass as retained_mass,
    summary as summary,
    top_share as top_share,
)
from compecon.stats.intervals import (
    Interval as Interval,
    bootstrapped as bootstrapped,
    mean_interval as mean_interval,
    wilson as wilson,
)
from compecon.stats.pareto import (
    hypervolume as hypervolume,
    pareto_front as pareto_front,
    tied_with_front as tied_with_front,
)
