"""What is in an output of `score` or `watch`: a table for the terminal, a page for a browser."""

from typing import Literal

Step = Literal["day", "week", "month"]
"""Of what is shown over time."""
