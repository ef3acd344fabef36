"""What is in an output of `score` or `watch`: a table for the terminal, a page for a browser."""
