"""Where a run writes: a folder of shards, or one JSONL file with a folder beside it meanwhile."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from serving.errors import ServingError
from serving.scoring.durable import PARTIAL, publish, unfinished
from serving.scoring.manifest import NAME
from serving.scoring.options import Format
from serving.scoring.partitions import Partition

REJECTS = "rejects.jsonl"
_LINES = {".jsonl", ".ndjson"}
_NO_FOLDER = {".json", ".csv", ".tsv", ".parquet", ".txt", ".gz", ".zst"}


@dataclass(frozen=True)
class Destination:
    """`folder` is where the run works; `file` what its shards are joined into at the end."""

    folder: Path
    file: Path | None

    @classmethod
    def at(cls, path: Path, format_: Format, partition: Partition | None = None) -> Self:
        """Return the destination that a name stands for.

        Raises:
            ServingError: the name is not of what is written, or something else is there.
        """
        suffix = path.suffix.lower()
        if suffix in _LINES:
            if path.is_dir():
                raise ServingError(f"{path} is a folder: pass the name of a file as --out.")
            if format_ != "jsonl":
                raise ServingError(f"{path} is one JSONL file: pass a folder for {format_}.")
            if partition:
                raise ServingError(
                    f"{path} is one JSONL file, which has no partitions: "
                    f"pass a folder as --out for --partition {partition}."
                )
            return cls(path.with_name(path.name + PARTIAL), path)
        if suffix in _NO_FOLDER:
            raise ServingError(f"{path} is not written: pass a .jsonl file or a folder as --out.")
        if path.exists() and not path.is_dir():
            raise ServingError(f"{path} is a file: pass a .jsonl file or a folder as --out.")
        # What was fetched may lie there before the manifest does.
        others = path.is_dir() and any(p.suffix != PARTIAL for p in path.iterdir())
        if others and not (path / NAME).exists():
            raise ServingError(f"{path} has other files in it: pass another folder as --out.")
        return cls(path, None)

    @property
    def written(self) -> list[Path]:
        """Return all that the run writes, which no source may be."""
        return [self.folder] if self.file is None else [self.folder, self.file, self.rejects]

    @property
    def rejects(self) -> Path:
        """Return where the rejected records are found at the end."""
        if self.file is None:
            return self.folder / REJECTS
        return self.file.with_suffix(".rejects.jsonl")

    def join(self, shards: Iterable[str]) -> None:
        """Put the shards together under the file's name, and remove the folder."""
        if self.file is None:
            return
        rejected = self.folder / REJECTS
        if rejected.exists():
            _copy([rejected], self.rejects)
        else:
            self.rejects.unlink(missing_ok=True)
        _copy([self.folder / name for name in shards], self.file)
        # First of all, or a stop in between would leave a run whose shards are gone.
        (self.folder / NAME).unlink()
        shutil.rmtree(self.folder)


def shard_name(number: int, format_: Format) -> str:
    """Return the name of a shard's files."""
    return f"shard-{number:06}.{format_}"


def _copy(parts: Iterable[Path], path: Path) -> None:
    partial = unfinished(path)
    # The folder of the run has that name for the output itself.
    partial = partial.with_name(f".{partial.name}")
    with partial.open("wb") as sink:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, sink)
    publish(partial, path)
