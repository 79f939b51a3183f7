"""Files that other programs or people write: read with limits, written durably."""
