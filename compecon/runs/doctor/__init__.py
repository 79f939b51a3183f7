"""What is wrong with the runs of a home, and how to repair it."""
