"""Files become symbolic facts of one file each, without importing or running them."""
