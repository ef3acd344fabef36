"""Scores files of many kinds into a file or a folder of shards, and goes on after any stop."""
