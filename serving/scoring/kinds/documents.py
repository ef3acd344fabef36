"""Sources that are one document, held as a whole."""

from pathlib import PurePosixPath
from typing import BinaryIO

from serving.errors import SourceError
from serving.scoring.compression import bare_name
from serving.scoring.limits import DOCUMENT_BYTES


def whole(stream: BinaryIO) -> bytes:
    """Read a document.

    Raises:
        SourceError: it is too large to be one.
    """
    content = stream.read(DOCUMENT_BYTES + 1)
    if len(content) > DOCUMENT_BYTES:
        raise SourceError(f"The document has more than {DOCUMENT_BYTES} bytes: split it.")
    return content


def identifier(source: str) -> str:
    """Return the id of a document: its file's name without suffixes of kind and compression."""
    return PurePosixPath(bare_name(source)).stem
