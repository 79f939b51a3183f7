"""Tasks: texts with targets, in splits, and metrics with their intervals. Import from the module of each thing."""
