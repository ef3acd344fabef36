"""Serving: labels text with a released model folder, over HTTP and from the command line."""
