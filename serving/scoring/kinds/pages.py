"""The main text of an HTML page and what the page says of itself."""

import logging

import trafilatura

from serving.scoring.records import Entry, Record, checked, metadata, reject

# It logs every page it finds nothing in; a reject says so already.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("htmldate").setLevel(logging.CRITICAL)


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
        found = trafilatura.bare_extraction(content, url=url, with_metadata=True)
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
