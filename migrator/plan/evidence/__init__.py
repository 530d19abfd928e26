"""What the code says that a plan needs to know: what functions reach, who writes what with what."""
