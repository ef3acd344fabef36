"""The main text of an HTML page and what the page says of itself."""

import logging

import trafilatura

from serving.scoring.records import Entry, Record, checked, metadata, reject

# It logs every page it finds nothing in; a reject says so already.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("htmldate").setLevel(logging.CRITICAL)

_DATES = {"original_date": True, "extensive_search": False, "max_date": "2100-01-01"}
"""Dates that the page states; without a last one, today's would make two runs differ."""


def page(
    content: bytes,
    source: str,
    position: int,
    *,
    identifier: str,
    longest: int,
    url: str | None = None,
    date: str | None = None,
) -> Entry:
    """Return a page as a record, or why it is none; `longest` is in code points."""
    try:
        found = trafilatura.bare_extraction(
            content,
            url=url,
            with_metadata=True,
            include_comments=False,
            date_extraction_params=dict(_DATES),
        )
    except Exception as error:
        # Whatever a page out of the wild does to its parser costs that page alone.
        return reject(source, position, f"The page cannot be read: {error!r}.")
    text = getattr(found, "text", None) if found else None
    if not text:
        return reject(source, position, "The page has no main text.")
    return checked(
        lambda: Record(
            source=source,
            position=position,
            text=text,
            id=identifier,
            date=metadata(getattr(found, "date", None)) or date,
            title=metadata(getattr(found, "title", None)),
            url=url or metadata(getattr(found, "url", None)),
            language=metadata(getattr(found, "language", None)),
        ),
        source,
        position,
        longest=longest,
    )
