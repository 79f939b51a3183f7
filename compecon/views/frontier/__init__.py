"""What the Frontier page draws, as plain data."""
