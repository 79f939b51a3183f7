"""What spending is worth to each query: one family of curves a file."""
