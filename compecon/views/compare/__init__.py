"""What the Compare page draws, as plain data."""
