"""What follows from who owns what: crossings, copies, folders, state, the order of the way."""
