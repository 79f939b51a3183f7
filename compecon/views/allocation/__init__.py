"""What the Allocation page draws, as plain data."""
