"""Monolith and services get the same requests; what differs is found and named."""
