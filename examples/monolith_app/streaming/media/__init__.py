"""Uploaded films, what was made of them, and artwork."""
