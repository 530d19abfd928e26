"""Graphs of classes in whatever language."""
