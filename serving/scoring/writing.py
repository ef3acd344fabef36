"""Gives finished shards their names and keeps the rejects, so that both survive any stop."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from serving.errors import ServingError
from serving.model_folder import digest as file_digest
from serving.scoring.destination import REJECTS
from serving.scoring.durable import publish, sync, unfinished
from serving.scoring.engines import Made
from serving.scoring.manifest import File, Shard
from serving.scoring.outputs import line
from serving.scoring.partitions import Partition, pattern
from serving.scoring.parts import Part
from serving.scoring.records import Reject


class Writer:
    """Writes into the folder of a run, shard after shard in the order of their numbers."""

    def __init__(self, folder: Path, partition: Partition | None) -> None:
        """Write into `folder`, or the folders of a partition below it."""
        self._folder, self._partition = folder, partition
        self._rejects = folder / REJECTS

    def restore(self, finished: Sequence[Shard]) -> None:
        """Bring the folder to where the manifest left it: nothing of an unfinished shard stays.

        Raises:
            ServingError: a finished shard is missing or altered.
        """
        known = {file.file: file.sha256 for shard in finished for file in shard.files}
        for name, sha256 in known.items():
            path = self._folder / name
            if not path.is_file() or file_digest(path) != sha256:
                raise ServingError(
                    f"{path} is not as it was written: remove the output, or pass another --out."
                )
        for path in self._folder.glob(pattern(self._partition, "shard-*")):
            if path.relative_to(self._folder).as_posix() not in known:
                path.unlink()
        length = finished[-1].rejects_bytes if finished else 0
        held = self._rejects.stat().st_size if self._rejects.exists() else 0
        if held < length:
            raise ServingError(
                f"{self._rejects} is not as it was written: "
                "remove the output, or pass another --out."
            )
        if length:
            os.truncate(self._rejects, length)
        else:
            self._rejects.unlink(missing_ok=True)

    def write(self, made: Made) -> Shard:
        """Put a shard and its rejects in place and return its entry for the manifest."""
        rejects_bytes = self._reject(made.rejects)
        files = [self._publish(part) for part in made.parts]
        # The folder of a file is synced with it; those above may be new too.
        for above in {
            above for part in made.parts for above in PurePosixPath(part.file).parents[1:]
        }:
            sync(self._folder / above)
        return Shard(
            files=files,
            input=made.input,
            rejects_bytes=rejects_bytes,
            read=made.totals.read,
            scored=made.totals.scored,
            duplicates=made.totals.duplicates,
            rejected=made.totals.rejected,
        )

    def _publish(self, part: Part) -> File:
        path = self._folder / part.file
        publish(unfinished(path), path)
        return File(file=part.file, sha256=file_digest(path), rows=part.rows)

    def _reject(self, rejects: Sequence[Reject]) -> int:
        """Add rejects to the file of all and return its length in bytes."""
        if not rejects:
            return self._rejects.stat().st_size if self._rejects.exists() else 0
        with self._rejects.open("a", encoding="utf-8", newline="\n") as sink:
            for entry in rejects:
                told = {"source": entry.source, "position": entry.position}
                sink.write(line(told | {"reason": entry.reason} | _raw(entry)))
        sync(self._rejects)
        return self._rejects.stat().st_size


def _raw(entry: Reject) -> dict[str, object]:
    return {} if entry.raw is None else {"raw": entry.raw}
