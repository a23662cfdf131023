"""Prepaid credits: sold through Stripe, spent by what runs on a compute platform."""
