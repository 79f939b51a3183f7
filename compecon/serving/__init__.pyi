from compecon.serving.distinct import distinct_sizes as distinct_sizes
from compecon.serving.router import (
    FEATURES as FEATURES,
    Feature as Feature,
    Router as Router,
    fit_router as fit_router,
)
from compecon.serving.served import (
    Routed as Routed,
    route as route,
)
