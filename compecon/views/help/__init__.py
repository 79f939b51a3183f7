"""What the Help page shows, as plain data."""
