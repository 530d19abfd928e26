"""Services become processes on this machine, behind a gateway, with their data."""
