"""Scores shards in this process, one after the other."""

from collections.abc import Callable, Iterator
from pathlib import Path

from serving.classifier import Classifier
from serving.model_folder import Manifest
from serving.scoring.engines import Made
from serving.scoring.making import Maker
from serving.scoring.manifest import Totals
from serving.scoring.work import Work


class Local:
    """The engine of one machine: the threads of its classifier share each call of the model."""

    def __init__(self, classifier: Classifier) -> None:
        """Score with `classifier`."""
        self._classifier = classifier

    @property
    def model(self) -> Manifest:
        """Return the classifier's manifest."""
        return self._classifier.manifest

    def make(
        self, work: Work, folder: Path, tell: Callable[[str], None]
    ) -> Iterator[Totals | Made]:
        """Make the files of all shards, yielding the totals after every call of the model."""
        maker = Maker(self._classifier, work.options, work.run)
        for group in work.groups(folder, tell):
            yield from maker.make(folder, group)
            yield maker.made
