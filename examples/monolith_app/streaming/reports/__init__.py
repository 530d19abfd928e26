"""Figures for the people who run the company."""
