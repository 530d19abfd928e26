"""Facts become one linked graph: names, calls, effects on tables, transactions, state."""
