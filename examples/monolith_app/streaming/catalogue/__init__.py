"""Titles, genres, and who waits for what."""
