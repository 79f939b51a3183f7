"""What a run can do: its settings, its plan, and the work."""
