"""What the Train page and the commands say of runs, as plain data."""
