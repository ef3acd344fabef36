"""The files of one shard: a single one, or one in each folder that its rows belong to."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.scoring.durable import unfinished
from serving.scoring.outputs import Output


@dataclass(frozen=True)
class Part:
    """A file of a shard: its path in the output, with slashes, and the number of its rows."""

    file: str
    rows: int


class Parts:
    """Writes rows into unfinished files of one name."""

    def __init__(
        self, out: Path, name: str, open_output: Callable[[Path], Output], *, empty: str
    ) -> None:
        """Write below `out`; `empty` is the folder of the file that a shard without rows has."""
        self._out, self._name, self._open, self._empty = out, name, open_output, empty
        self._outputs: dict[str, Output] = {}
        self._rows: Counter[str] = Counter()

    def write(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Add rows, each with its folder relative to the output."""
        grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for folder, row in rows:
            grouped[folder].append(row)
        for folder, found in grouped.items():
            self._output(folder).write(found)
            self._rows[folder] += len(found)

    def close(self) -> list[Part]:
        """Finish all files and return them, in the order of their names."""
        if not self._outputs:
            # Readers find a file with the right columns, even if it has no rows.
            self._output(self._empty)
        for output in self._outputs.values():
            output.close()
        return [Part(self._file(folder), self._rows[folder]) for folder in sorted(self._outputs)]

    def _file(self, folder: str) -> str:
        return f"{folder}/{self._name}" if folder else self._name

    def _output(self, folder: str) -> Output:
        if folder not in self._outputs:
            path = self._out / self._file(folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._outputs[folder] = self._open(unfinished(path))
        return self._outputs[folder]
