"""Robustness: small changes of a text that its labels survive, and what they cost."""
