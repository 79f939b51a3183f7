"""How good a model is at a task, under a budget or without, and where measurements are kept."""
