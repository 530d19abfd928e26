"""What each function and each entry point does: tables, transactions, state, files."""
