"""Training: fine-tuning with a price on compute, pruning, and how an interrupted one is resumed."""
