"""A tool library: who borrows, and what is out."""
