"""Polling feeds around the clock, and scoring what is new in them."""
