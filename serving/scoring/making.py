"""Scores the records of a shard and makes its files: the same bytes in whatever process it runs."""

from collections.abc import Iterator
from pathlib import Path

from serving import classifier as classifiers
from serving.classifier import Classifier
from serving.explanations import explained
from serving.language import UNDETERMINED
from serving.predictions import Prediction
from serving.scoring import shards
from serving.scoring.dates import moment
from serving.scoring.destination import shard_name
from serving.scoring.engines import Made
from serving.scoring.manifest import Totals
from serving.scoring.options import Options
from serving.scoring.outputs import Output, output
from serving.scoring.partitions import folder
from serving.scoring.parts import Parts
from serving.scoring.records import Record, Reject
from serving.scoring.rows import Run, row
from serving.scoring.shards import Group, Item, cut


class Maker:
    """Makes shards' files with one classifier; `made` is the last shard.

    A call of the model has only texts of one shard, always the same ones: what is padded together
    may change the last bit of a confidence, so other calls could give other rows.
    """

    made: Made

    def __init__(self, classifier: Classifier, options: Options, run: Run) -> None:
        """Make what `options` ask for, with rows marked as `run` says."""
        self._classifier, self._options, self._run = classifier, options, run

    def make(self, out: Path, group: Group) -> Iterator[Totals]:
        """Make the files below `out`, yielding the totals so far after every call of the model.

        They are whole when the iterator has ended.
        """
        name = shard_name(group.number, self._options.format)
        empty = folder(self._options.partition, None, UNDETERMINED)
        parts = Parts(out, name, self._output, empty=empty)
        total = Totals()
        for chunk in cut(group.items, shards.CHUNK, shards.CHUNK_TEXT):
            parts.write(self._rows(chunk))
            total += shards.totals(chunk)
            yield total
        self.made = Made(
            number=group.number,
            parts=parts.close(),
            input=shards.digest(group.items),
            rejects=shards.rejects(group.items),
            totals=total,
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
            found = row(item.entry, self._run, prediction, item.link)
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
