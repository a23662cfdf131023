"""All that knows Stripe: its API, its events, its words."""
