"""The graph becomes a plan: boundaries, owners, replicas, crossing calls, datastores, an order."""
