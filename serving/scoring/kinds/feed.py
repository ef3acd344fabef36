"""RSS and Atom, entry by entry; a document type or an entity is refused, never expanded."""

import hashlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from serving.errors import SourceError
from serving.scoring.kinds import Reading
from serving.scoring.kinds.documents import whole
from serving.scoring.kinds.snippets import plain
from serving.scoring.records import Entry, Record, Reject, checked, metadata, reject

_ITEMS = {"item", "entry"}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield an entry for each item; positions count the items."""
    position, language = 0, None
    try:
        stack: list[Element] = []
        for event, element in iterparse(
            BytesIO(whole(stream)), events=("start", "end"), forbid_dtd=True
        ):
            if event == "start":
                stack.append(element)
                continue
            stack.pop()
            name = local(element)
            if name == "language" and len(stack) == 2:
                language = metadata((element.text or "").strip())
            if name not in _ITEMS:
                continue
            position += 1
            entry = _entry(element, source, position, language, reading.limits.characters)
            if isinstance(entry, Reject):
                # So that it can be mended, and told from another that is broken in the same way.
                entry = reject(source, position, entry.reason, tostring(element))
            yield entry
            # What has been read is let go: a tree takes many times the bytes of its text.
            if stack:
                stack[-1].clear()
    except ParseError as error:
        raise SourceError(f"The feed is not whole XML after item {position}: {error}.") from error
    except DefusedXmlException as error:
        raise SourceError("The feed has a document type or entities: remove them.") from error
    except (LookupError, ValueError) as error:
        raise SourceError(f"The feed's encoding is not known: {error}.") from error


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2].lower()


def _entry(item: Element, source: str, position: int, language: str | None, longest: int) -> Entry:
    def first(*names: str) -> str | None:
        for name in names:
            for child in item:
                # Media and podcast extensions have titles too; they stand deeper or come later.
                if local(child) == name and (text := _content(child)):
                    return text
        return None

    title = plain(first("title") or "")
    body = plain(first("encoded", "content", "description", "summary") or "")
    parts = [title, body] if title and not body.startswith(title) else [body]
    return checked(
        lambda: Record(
            source=source,
            position=position,
            # The headline carries claims as well as the body, and is often all there is.
            text="\n\n".join(part for part in parts if part),
            # Its number would be another entry's as soon as the feed has news.
            id=first("guid", "id") or first("link") or f"words-{_digest(title, body)}",
            date=metadata(first("pubdate", "published", "updated", "date")),
            title=metadata(title),
            url=metadata(_link(item)),
            language=metadata(item.get(_LANGUAGE) or language),
        ),
        source,
        position,
        longest=longest,
    )


def _digest(*words: str) -> str:
    return hashlib.blake2b("\0".join(words).encode(), digest_size=8).hexdigest()


def _content(element: Element) -> str:
    if element.get("type") == "xhtml":
        return "\n".join(part.strip() for part in element.itertext() if part.strip())
    return (element.text or "").strip()


def _link(item: Element) -> str | None:
    for child in item:
        if local(child) == "link" and child.get("rel", "alternate") == "alternate":
            return child.get("href") or (child.text or "").strip() or None
    return None
