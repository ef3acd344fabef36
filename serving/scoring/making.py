"""Scores the records of a shard and makes its file: the same bytes in whatever process it runs."""

from collections.abc import Iterator
from pathlib import Path

from serving import classifier as classifiers
from serving.classifier import Classifier
from serving.explanations import explained
from serving.predictions import Prediction
from serving.scoring import shards
from serving.scoring.manifest import Totals
from serving.scoring.options import Options
from serving.scoring.outputs import output
from serving.scoring.records import Record, Reject
from serving.scoring.rows import Run, row
from serving.scoring.shards import Item, cut


class Maker:
    """Makes shards' files with one classifier.

    A call of the model has only texts of one shard, always the same ones: what is padded together
    may change the last bit of a confidence, so other calls could give other rows.
    """

    def __init__(self, classifier: Classifier, options: Options, run: Run) -> None:
        """Make what `options` ask for, with rows marked as `run` says."""
        self._classifier, self._options, self._run = classifier, options, run

    def make(self, path: Path, items: list[Item]) -> Iterator[Totals]:
        """Make the file, yielding the shard's totals so far after every call of the model.

        It is whole when the iterator has ended.
        """
        sink = output(self._options.format, path, self._classifier.narratives)
        total = Totals()
        try:
            for chunk in cut(items, shards.CHUNK, shards.CHUNK_TEXT):
                sink.write(self._rows(chunk))
                total += shards.totals(chunk)
                yield total
        finally:
            sink.close()

    def _rows(self, chunk: list[Item]) -> list[dict[str, object]]:
        records = [record for item in chunk if (record := item.to_score) is not None]
        given = [classifiers.Item(record.text, record.id) for record in records]
        predictions = iter(self._classifier.predict(given, scores=self._options.scores))
        rows = []
        for item in chunk:
            if isinstance(item.entry, Reject):
                continue
            prediction = None if item.link else self._explained(item.entry, next(predictions))
            rows.append(row(item.entry, self._run, prediction, item.link))
        return rows

    def _explained(self, record: Record, prediction: Prediction) -> Prediction:
        if not self._options.explain:
            return prediction
        return explained(self._classifier, record.text, prediction)
