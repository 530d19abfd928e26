"""Why something is where it is."""
