"""What a plan says to its reader beside its services."""
