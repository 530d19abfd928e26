"""Where we write what is ours."""

PRIVATE = ".migrator"
"""The folder in a monolith's root, and in that of generated services; git ignores it."""
