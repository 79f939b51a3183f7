"""Film reviews that compecon writes itself."""
