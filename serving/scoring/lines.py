"""Lines of a stream, each of bounded length."""

from collections.abc import Iterator
from typing import BinaryIO

from serving.scoring.limits import LINE_BYTES


class Lines:
    """Yields lines with their ends; of a line that is too long only its beginning.

    `cut` is set when that happens; who reads the lines may clear it.
    """

    def __init__(self, stream: BinaryIO, *, longest: int = LINE_BYTES) -> None:
        """Read lines of at most `longest` bytes."""
        self._stream, self._longest = stream, longest
        self.cut = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines."""
        while line := self._stream.readline(self._longest):
            if len(line) == self._longest and not line.endswith(b"\n"):
                self.cut = self._skip()
            yield line

    def _skip(self) -> bool:
        """Pass over the rest of the line and say whether there was one."""
        rest = False
        while piece := self._stream.readline(self._longest):
            rest = True
            if piece.endswith(b"\n"):
                break
        return rest
