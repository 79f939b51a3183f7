"""Numbers about numbers: inequality of a distribution, Pareto fronts, intervals of differences."""
