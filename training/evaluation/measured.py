"""A model folder, read on dev and test: each passage once, for all figures."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serving.classifier import Classifier
from serving.decisions import Decisions
from training import readout
from training.corpus import Corpus
from training.errors import TrainingError
from training.evaluation.system import Rows, System
from training.labels import groups
from training.labels.sources import Passage


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a model folder says of dev and test, with the test passages and their groups."""

    classifier: Classifier
    system: System
    passages: list[Passage]
    groups: Rows

    @cached_property
    def decisions(self) -> Decisions:
        """Calibration and thresholds that serving decides with."""
        return Decisions(self.classifier.manifest)

    @cached_property
    def accepted(self) -> NDArray[np.bool_]:
        """Test passages and narratives that serving would answer with `accept`."""
        return self.system.test.accepted(self.decisions)

    @cached_property
    def reviewed(self) -> NDArray[np.bool_]:
        """Those that it would answer at all."""
        return self.system.test.reviewed(self.decisions)

    @property
    def languages(self) -> set[str]:
        """The languages that the model was trained on; any other is zero-shot."""
        return set(self.classifier.manifest.languages)


def measure(folder: Path, corpus: Corpus) -> Measured:
    """Read dev and test through a model folder.

    Raises:
        TrainingError: the folder's narratives are not those of the corpus, or a side is empty.
    """
    classifier = Classifier.load(folder)
    if (classifier.narratives, classifier.stances) != (
        corpus.taxonomy.narrative_ids,
        corpus.taxonomy.stance_ids,
    ):
        raise TrainingError(
            f"{folder} tells other narratives or stances than the taxonomy given, or in another "
            "order: pass the --taxonomy that it was made with."
        )
    test = corpus.side("test")
    return Measured(
        classifier=classifier,
        system=listen(classifier.manifest.name, classifier, corpus),
        passages=test,
        groups=np.array(groups.assign(test)),
    )


def listen(name: str, classifier: Classifier, corpus: Corpus) -> System:
    """Read dev and test through a classifier.

    Raises:
        TrainingError: a side has no passage.
    """
    sides = {}
    for side in ("dev", "test"):
        passages = corpus.side(side)
        if not passages:
            raise TrainingError(
                f"no passage with a text stands on the side {side}: nothing can be measured. "
                "Pass --sources, or label more."
            )
        sides[side] = readout.read(classifier, passages, corpus.taxonomy)
    return System(name=name, **sides)
