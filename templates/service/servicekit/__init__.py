"""What stands between a monolith's own code and its siblings: the runtime of a generated service.

It reads `service.json` and the environment; see docs/servicekit.md of migrator for its contract.
"""
