"""What is promised of the released model, on the held-out passages that the repository holds.

No perturbation lowers macro F1 by more than 5 points, and explanations name words that matter.
Which perturbations the released model does not withstand stands in its own report, with the fall
that was measured; they are expected to fail, and a model that withstands one fails here until its
report is made anew (`make report`).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.classifier import Classifier
from training import corpus as corpora
from training import readout
from training.evaluation.explanations import faithfulness
from training.evaluation.measured import Measured
from training.evaluation.robustness import PROMISE, perturbed
from training.evaluation.system import System
from training.labels import groups
from training.robustness.perturbations import PERTURBATIONS

RELEASED = Path("models/current")
LABELS = Path("data/labels")
REPORT: dict[str, Any] = json.loads(Path("docs/evaluation.json").read_text(encoding="utf-8"))


def _named(name: str) -> Any:
    reported = REPORT["robustness"]["perturbations"][name]["written"]["difference"]["value"]
    fails = pytest.mark.xfail(
        reported < -PROMISE,
        reason=f"the report says that macro F1 falls by {-reported:.3f}",
        strict=True,
        raises=AssertionError,
    )
    return pytest.param(name, marks=fails, id=name.replace(" ", "-"))


@pytest.fixture(scope="module")
def released() -> Measured:
    """The written part of the test side, at the thresholds of the report."""
    corpus = corpora.load(LABELS, LABELS / "taxonomy.yaml", None)
    passages = corpus.side("test")
    classifier = Classifier.load(RELEASED)
    read = readout.read(classifier, passages, corpus.taxonomy)
    system = System(name=classifier.manifest.name, dev=read, test=read)
    thresholds = [REPORT["thresholds"][name] for name in corpus.taxonomy.narrative_ids]
    vars(system)["thresholds"] = np.array(thresholds)
    return Measured(
        classifier=classifier,
        system=system,
        passages=passages,
        groups=np.array(groups.assign(passages)),
    )


def test_the_report_is_that_of_the_released_model(released: Measured) -> None:
    assert REPORT["model"] == released.system.name
    assert set(REPORT["robustness"]["perturbations"]) == set(PERTURBATIONS)


@pytest.mark.parametrize("name", [_named(name) for name in PERTURBATIONS])
def test_no_perturbation_costs_more_than_is_promised(name: str, released: Measured) -> None:
    found = perturbed(released, name)
    assert found is not None
    assert found["written"]["difference"]["value"] >= -PROMISE


def test_words_that_are_named_matter_more_than_others(released: Measured) -> None:
    found = faithfulness(released, most=30)
    assert found is not None
    assert found["difference"]["low"] > 0
