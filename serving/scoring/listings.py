"""Lists of sources: OPML outlines and sitemaps, of local files and addresses of the web."""

from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from serving.errors import ServingError
from serving.scoring.kinds.documents import whole

WEB = ("http", "https")


def listed(stream: BinaryIO, name: str, *, local: bool = True) -> list[Path | str]:
    """Return what the list called `name` names, in order: files, and addresses of the web.

    Files must lie in or below the list's own folder; a list from the web (not `local`) names none.

    Raises:
        ServingError: it is no XML, or names something else.
    """
    try:
        root = parse(BytesIO(whole(stream)), forbid_dtd=True).getroot()
    except (ParseError, ValueError, DefusedXmlException) as error:
        raise ServingError(f"{name} is no list that can be read: {error}.") from error
    named = [address for element in root.iter() if (address := _address(element))]
    if not local:
        return [urljoin(name, address) for address in named]
    return [_named(address, Path(name)) for address in named]


def _address(element: Element) -> str | None:
    name = str(element.tag).rpartition("}")[2].lower()
    if name == "outline":
        return element.get("xmlUrl")
    return (element.text or "").strip() if name == "loc" else None


def _named(name: str, listing: Path) -> Path | str:
    parts = urlsplit(name)
    if parts.scheme in WEB:
        return name
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
