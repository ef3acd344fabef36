"""Lists of sources: OPML outlines and sitemaps, as far as they name local files."""

from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from serving.errors import ServingError
from serving.scoring.kinds.documents import whole


def listed(stream: BinaryIO, path: Path) -> list[Path]:
    """Return the files that the list at `path` names, in order.

    Raises:
        ServingError: it is no XML, or names what is not a file in or below its own folder.
    """
    try:
        root = parse(BytesIO(whole(stream)), forbid_dtd=True).getroot()
    except (ParseError, ValueError, DefusedXmlException) as error:
        raise ServingError(f"{path} is no list that can be read: {error}.") from error
    named = (_address(element) for element in root.iter())
    return [_file(name, path) for name in named if name]


def _address(element: Element) -> str | None:
    name = str(element.tag).rpartition("}")[2].lower()
    if name == "outline":
        return element.get("xmlUrl")
    return (element.text or "").strip() if name == "loc" else None


def _file(name: str, listing: Path) -> Path:
    parts = urlsplit(name)
    if parts.scheme in ("http", "https"):
        raise ServingError(
            f"{listing} lists {name}, which is on the web, from which nothing is fetched: "
            "save it and list the file."
        )
    if parts.scheme not in ("", "file"):
        raise ServingError(f"{listing} lists {name}, which is no local file.")
    folder = listing.parent.resolve()
    file = (folder / unquote(parts.path)).resolve()
    # A list from elsewhere must not make us read whatever it likes.
    if folder not in file.parents:
        raise ServingError(f"{listing} lists {name}, which is outside of the list's folder.")
    if not file.is_file():
        raise ServingError(f"{listing} lists {name}, and there is no such file.")
    return listing.parent / file.relative_to(folder)
