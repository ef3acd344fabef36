"""How a report writes what came from elsewhere: names, dates and texts that nobody vouches for."""

import unicodedata
from datetime import datetime

from serving.web.options import is_web

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Characters that move, hide or turn what stands around them."""


def named(narrative: str) -> str:
    """Return a narrative's id as words."""
    return narrative.replace("-", " ")


def one_line(text: str | None, longest: int) -> str:
    """Return a text as one line without characters that are not seen, cut to `longest`."""
    seen = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text or "")
    line = " ".join(seen.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def day(moment: datetime | None) -> str:
    """Return a moment's day, or a dash."""
    return f"{moment:%Y-%m-%d}" if moment else "–"


def period(span: tuple[datetime | None, datetime | None]) -> str:
    """Return the days from one moment to another."""
    first, last = day(span[0]), day(span[1])
    return first if first == last else f"{first} to {last}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole in per cent, or a dash if there is nothing to be a part of."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def link(url: str | None) -> str | None:
    """Return an address that may be linked to: http and https, and all of it can be seen."""
    if url is None or not is_web(url):
        return None
    return None if any(unicodedata.category(char) in _UNSEEN for char in url) else url
