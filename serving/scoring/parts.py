"""The files of one shard: a single one, or one in each folder that its rows belong to."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from serving.model_folder import digest
from serving.scoring.durable import publish, sync, unfinished
from serving.scoring.manifest import File
from serving.scoring.outputs import Output


class Parts:
    """Writes rows into files of one name, which they get when all of them are whole."""

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

    def finish(self) -> list[File]:
        """Put all files in place and return them, in the order of their names."""
        if not self._outputs:
            # Readers find a file with the right columns, even if it has no rows.
            self._output(self._empty)
        for output in self._outputs.values():
            output.close()
        folders = sorted(self._outputs)
        for folder in folders:
            path = self._path(folder)
            publish(unfinished(path), path)
        for above in {above for folder in folders for above in PurePosixPath(folder).parents}:
            sync(self._out / above)
        return [
            File(
                file=self._path(folder).relative_to(self._out).as_posix(),
                sha256=digest(self._path(folder)),
                rows=self._rows[folder],
            )
            for folder in folders
        ]

    def _path(self, folder: str) -> Path:
        return self._out / folder / self._name

    def _output(self, folder: str) -> Output:
        if folder not in self._outputs:
            path = self._path(folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._outputs[folder] = self._open(unfinished(path))
        return self._outputs[folder]
