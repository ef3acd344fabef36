"""JSONL: an object a line."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from serving.errors import SourceError, TextError
from serving.scoring.columns import Columns
from serving.scoring.kinds import Reading
from serving.scoring.limits import LINE_BYTES
from serving.scoring.lines import Lines
from serving.scoring.records import Entry, Record, checked, reject


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield an entry for each line that is not blank; positions are line numbers."""
    parser = _Parser(source, reading)
    lines = Lines(stream)
    for number, line in enumerate(lines, 1):
        if lines.cut:
            lines.cut = False
            reason = f"The line has more than {LINE_BYTES} bytes: split the text."
            yield reject(source, number, reason, line)
        elif line.strip():
            yield parser.entry(number, line)


class _Parser:
    def __init__(self, source: str, reading: Reading) -> None:
        self._source, self._reading = source, reading
        self._columns: Columns | None = None

    def entry(self, number: int, line: bytes) -> Entry:
        try:
            values = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            reason = f"The line is not UTF-8 (byte {error.start})."
        except (ValueError, RecursionError) as error:
            reason = f"The line is not JSON: {error}."
        else:
            return checked(
                lambda: self._record(values, number),
                self._source,
                number,
                longest=self._reading.limits.characters,
                raw=line,
            )
        return reject(self._source, number, reason, line)

    def _record(self, values: Any, number: int) -> Record:
        if not isinstance(values, dict):
            raise TextError("The line is no JSON object.", limit="line-object")
        return self._chosen(values).record(values, self._source, number)

    def _chosen(self, values: dict[str, Any]) -> Columns:
        """Return the fields, chosen by the first object that has a text.

        Objects may leave fields out, so only the field of the text must be there; what else is
        known by its first usual name is read wherever it stands.
        """
        if self._columns is None:
            given = self._reading.columns
            try:
                chosen = given.choose([*values, *given.used()])
            except SourceError as error:
                raise TextError(
                    "The field 'text' is missing or not a string.", limit="line-text"
                ) from error
            if chosen.text != "text" or given != Columns():
                self._reading.tell(self._source, chosen.described())
            self._columns = chosen.completed()
        return self._columns
