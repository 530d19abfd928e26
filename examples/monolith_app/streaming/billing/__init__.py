"""Plans, subscriptions, invoices, and the money that comes in and goes back."""
