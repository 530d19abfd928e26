"""Analysis, plan and proof become documents, one file an output format."""
