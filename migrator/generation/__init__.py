"""A plan becomes services that hold the monolith's own code."""
