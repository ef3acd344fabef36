"""Batching: the passages of all callers meet, and run together through the network."""
