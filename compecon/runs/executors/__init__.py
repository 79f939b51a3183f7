"""Where runs are executed: on this machine or on a Ray cluster."""
