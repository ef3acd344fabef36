"""Scores a shard's records and writes its file and its rejects, so that both survive any stop."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from serving import classifier as classifiers
from serving.classifier import Classifier
from serving.errors import ServingError
from serving.explanations import explained
from serving.model_folder import digest as file_digest
from serving.predictions import Prediction
from serving.scoring import shards
from serving.scoring.destination import REJECTS
from serving.scoring.durable import publish, sync, unfinished
from serving.scoring.manifest import Shard, Totals
from serving.scoring.options import Options
from serving.scoring.outputs import line, output
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
        for shard in finished:
            path = self._folder / shard.file
            if not path.is_file() or file_digest(path) != shard.sha256:
                raise ServingError(
                    f"{path} is not as it was written: remove the output, or pass another --out."
                )
        known = {shard.file for shard in finished}
        for path in self._folder.glob("shard-*"):
            if path.name not in known:
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
        path = self._folder / f"shard-{number:06}.{self._options.format}"
        rejects_bytes = self._reject(items)
        sink = output(self._options.format, unfinished(path), self._classifier.narratives)
        total = Totals()
        try:
            for chunk in cut(items, shards.CHUNK, shards.CHUNK_TEXT):
                sink.write(self._rows(chunk))
                total += shards.totals(chunk)
                yield total
        finally:
            sink.close()
        publish(unfinished(path), path)
        self.finished = Shard(
            file=path.name,
            sha256=file_digest(path),
            input=shards.digest(items),
            rejects_bytes=rejects_bytes,
            read=total.read,
            scored=total.scored,
            duplicates=total.duplicates,
            rejected=total.rejected,
        )

    def _rows(self, chunk: list[Item]) -> list[dict[str, object]]:
        records = [record for item in chunk if (record := item.to_score) is not None]
        given = [classifiers.Item(record.text, record.id) for record in records]
        predictions = iter(self._classifier.predict(given, scores=self._options.scores))
        rows = []
        for item in chunk:
            if isinstance(item.entry, Reject):
                continue
            prediction = None if item.link else self._explained(item.entry, next(predictions))
            rows.append(row(item.entry, self.run, prediction, item.link))
        return rows

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
