"""What the Attention page draws, as plain data and bytes."""
