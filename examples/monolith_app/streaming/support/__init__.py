"""Tickets of members who need help."""
