"""What web frameworks have in common: URL rules are in `url_map`; here views and hooks."""
