"""WARC: pages of responses and resources, and texts of conversions (WET).

Requests, redirects, errors and media other than text are passed over: they hold no text.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from warcio.archiveiterator import ArchiveIterator

from serving.scoring.kinds import Reading
from serving.scoring.kinds.broken import whole
from serving.scoring.kinds.pages import page
from serving.scoring.limits import DOCUMENT_BYTES
from serving.scoring.records import LONGEST_METADATA, Entry, Record, checked, reject

_HTML = ("text/html", "application/xhtml+xml")
_KINDS = ("response", "resource", "conversion")
_SUCCESS = "2"


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield an entry for each page; positions count the archive's records, of any kind."""
    with whole("WARC"):
        for position, found in enumerate(ArchiveIterator(_Pieces(stream)), 1):
            media = _media(found)
            if media is not None:
                yield _entry(found, media, source, position, reading.limits.characters)


class _Pieces:
    """A stream that gives what it has: an error further on must not take what came before it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = cast(io.BufferedReader, stream)

    def read(self, size: int) -> bytes:
        return self._stream.read1(size)


def _media(found: Any) -> str | None:
    """Return the type of a record's text, or None if it has none for us."""
    if found.rec_type not in _KINDS:
        return None
    headers = found.rec_headers
    if found.rec_type == "response":
        if not (found.http_headers and found.http_headers.get_statuscode().startswith(_SUCCESS)):
            return None
        headers = found.http_headers
    media = (headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()
    return media if media in (*_HTML, "text/plain") else None


def _entry(found: Any, media: str, source: str, position: int, longest: int) -> Entry:
    try:
        content = found.content_stream().read(DOCUMENT_BYTES + 1)
    except Exception as error:
        # The body's own encoding may be broken; the archive goes on behind it.
        return reject(source, position, f"The page's body cannot be decoded: {error!r}.")
    if len(content) > DOCUMENT_BYTES:
        return reject(source, position, f"The page has more than {DOCUMENT_BYTES} bytes.")
    headers = found.rec_headers
    url = (headers.get_header("WARC-Target-URI") or "")[:LONGEST_METADATA] or None
    date = headers.get_header("WARC-Date")
    name = (headers.get_header("WARC-Record-ID") or "").strip("<>") or f"record-{position}"
    if media in _HTML:
        return page(content, source, position, identifier=name, longest=longest, url=url, date=date)
    return checked(
        lambda: Record(
            source=source,
            position=position,
            text=content.decode("utf-8", "replace"),
            id=name,
            date=date,
            url=url,
            language=headers.get_header("WARC-Identified-Content-Language"),
        ),
        source,
        position,
        longest=longest,
    )
