"""What prepaid decides: pure values and rules, no I/O, no clock, no framework, no Stripe."""
