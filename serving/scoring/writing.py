"""Scores a shard's records and writes its file and its rejects, so that both survive any stop."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from serving import classifier as classifiers
from serving.classifier import Classifier
from serving.errors import ServingError
from serving.explanations import explained
from serving.language import UNDETERMINED
from serving.model_folder import digest as file_digest
from serving.predictions import Prediction
from serving.scoring import shards
from serving.scoring.dates import moment
from serving.scoring.destination import REJECTS
from serving.scoring.durable import sync
from serving.scoring.manifest import Shard, Totals
from serving.scoring.options import Options
from serving.scoring.outputs import Output, line, output
from serving.scoring.partitions import folder, pattern
from serving.scoring.parts import Parts
from serving.scoring.records import Record, Reject
from serving.scoring.rows import Run, row
from serving.scoring.shards import Item, cut


class Writer:
    """Writes shards into a folder; `finished` is the last one, for the manifest.

    `run` is what the rows of the next shard share.
    """

    finished: Shard

    def __init__(self, folder: Path, classifier: Classifier, options: Options, run: Run) -> None:
        """Write into `folder`."""
        self._folder, self._classifier, self._options, self.run = folder, classifier, options, run
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
        for path in self._folder.glob(pattern(self._options.partition, "shard-*")):
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

    def write(self, number: int, items: list[Item]) -> Iterator[Totals]:
        """Score and write a shard, yielding its totals so far after every call of the model."""
        rejects_bytes = self._reject(items)
        empty = folder(self._options.partition, None, UNDETERMINED)
        name = f"shard-{number:06}.{self._options.format}"
        parts = Parts(self._folder, name, self._output, empty=empty)
        total = Totals()
        for chunk in cut(items, shards.CHUNK, shards.CHUNK_TEXT):
            parts.write(self._rows(chunk))
            total += shards.totals(chunk)
            yield total
        self.finished = Shard(
            files=parts.finish(),
            input=shards.digest(items),
            rejects_bytes=rejects_bytes,
            read=total.read,
            scored=total.scored,
            duplicates=total.duplicates,
            rejected=total.rejected,
        )

    def _output(self, path: Path) -> Output:
        return output(self._options.format, path, self._classifier.narratives)

    def _rows(self, chunk: list[Item]) -> list[tuple[str, dict[str, object]]]:
        """Return the rows of a chunk, each with its folder."""
        records = [record for item in chunk if (record := item.to_score) is not None]
        given = [classifiers.Item(record.text, record.id) for record in records]
        predictions = iter(self._classifier.predict(given, scores=self._options.scores))
        rows = []
        for item in chunk:
            if isinstance(item.entry, Reject):
                continue
            prediction = None if item.link else self._explained(item.entry, next(predictions))
            found = row(item.entry, self.run, prediction, item.link)
            rows.append((self._folder_of(item.entry, prediction), found))
        return rows

    def _folder_of(self, record: Record, prediction: Prediction | None) -> str:
        partition = self._options.partition
        if partition is None:
            return ""
        # A copy is not scored, but its language costs little to tell.
        language = prediction.language if prediction else self._classifier.language(record.text)
        return folder(partition, moment(record.date), language)

    def _explained(self, record: Record, prediction: Prediction) -> Prediction:
        if not self._options.explain:
            return prediction
        return explained(self._classifier, record.text, prediction)

    def _reject(self, items: list[Item]) -> int:
        """Add the shard's rejects to the file of all and return its length in bytes."""
        rejected = [item.entry for item in items if isinstance(item.entry, Reject)]
        if not rejected:
            return self._rejects.stat().st_size if self._rejects.exists() else 0
        with self._rejects.open("a", encoding="utf-8", newline="\n") as sink:
            for entry in rejected:
                told = {"source": entry.source, "position": entry.position}
                sink.write(line(told | {"reason": entry.reason} | _raw(entry)))
        sync(self._rejects)
        return self._rejects.stat().st_size


def _raw(entry: Reject) -> dict[str, object]:
    return {} if entry.raw is None else {"raw": entry.raw}
