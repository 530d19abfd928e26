"""What is being watched, and what was."""
