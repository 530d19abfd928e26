"""Where each service keeps its data, by evidence."""
