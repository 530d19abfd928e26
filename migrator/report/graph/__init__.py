"""The dependency graph in formats that other programs read."""
