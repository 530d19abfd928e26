"""Observation: what a program touches while it runs.

`session` starts commands with `probe/` in their interpreter; `records` reads what that wrote.
"""
