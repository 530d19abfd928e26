"""Groups of what belongs together: demands, the cut, its measures."""
