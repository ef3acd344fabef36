"""What libraries raise over broken files, as one error of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import SourceError


@contextmanager
def whole(kind: str) -> Iterator[None]:
    """Turn whatever a broken file does to its library into a SourceError; `kind` is for the reader.

    A fault of the disk or the network keeps its own error: it may pass.
    """
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise SourceError(f"The source is not whole {kind}: {error}.") from error
