"""Fetching from the web: hostile by assumption, polite by habit."""
