"""What is wrong with the runs of a home, and how to set it right."""
