"""Several model folders on the same sides: what changed from one to the next, errors included.

Made for "before and after": the same recipe on other labels, or another recipe on the same labels.
Each model gets its F1 thresholds from dev, so figures on dev itself are a little too good, for all
models alike; the gold side (test) has none of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from training.corpus import Corpus
from training.evaluation.cells import figure, rate, table
from training.evaluation.debunks import Debunks, debunks
from training.evaluation.measured import Measured, measure
from training.evaluation.parts import REAL, WRITTEN, neutral_false_positives, origin
from training.evaluation.system import Comparison, Rows, System, compare, difference
from training.labels import groups
from training.metrics import Figure, Rate, bootstrap, macro_f1

SIDES = {"dev": "Dev", "test": "Gold (test)"}


@dataclass(frozen=True, kw_only=True)
class Beside:
    """One model on one side; `gain` is its paired difference to the first model, None for that."""

    figures: Comparison
    macro_f1: dict[str, Figure]
    """By origin, where one carries any narrative."""
    neutral: dict[str, Rate]
    """Neutral passages with an accepted finding, by origin."""
    debunks: Debunks | None
    gain: dict[str, Figure] | None

    def as_json(self) -> dict[str, Any]:
        """Return the figures for machines."""
        return {
            "model": self.figures.name,
            **self.figures.as_json(),
            "macro_f1_by_origin": {name: f.as_json() for name, f in self.macro_f1.items()},
            "neutral_accepted": {name: found.as_json() for name, found in self.neutral.items()},
            "debunks_accepted_as_claims": self.debunks.accepted.as_json() if self.debunks else None,
            "gain": {name: f.as_json() for name, f in self.gain.items()} if self.gain else None,
        }


def beside(folders: Sequence[Path], corpus: Corpus) -> dict[str, Any]:
    """Measure folders on dev and test; side -> a list of figures in the order of the folders.

    The caller answers for it that none of them was trained on a passage of these sides.

    Raises:
        TrainingError: a folder tells other narratives or stances than the corpus, or a side is
            empty.
    """
    read = [measure(folder, corpus) for folder in folders]
    return {
        side: [
            _one(model, models[0], corpus).as_json() | {"passages": len(model.passages)}
            for model in models
        ]
        for side, models in {"dev": [_on_dev(m, corpus) for m in read], "test": read}.items()
    }


def _on_dev(measured: Measured, corpus: Corpus) -> Measured:
    dev = corpus.side("dev")
    system = measured.system
    return Measured(
        classifier=measured.classifier,
        system=System(name=system.name, dev=system.dev, test=system.dev),
        passages=dev,
        groups=np.array(groups.assign(dev)),
    )


def _one(measured: Measured, first: Measured, corpus: Corpus) -> Beside:
    return Beside(
        figures=compare(measured.system, measured.groups),
        macro_f1=_by_origin(measured),
        neutral={
            name: rates["all"]
            for name, rates in neutral_false_positives(measured).items()
            if "all" in rates
        },
        debunks=debunks(measured, corpus.taxonomy.stance_ids),
        gain=None
        if measured is first
        else difference(measured.system, first.system, measured.groups),
    )


def _by_origin(measured: Measured) -> dict[str, Figure]:
    origins = np.array([origin(passage) for passage in measured.passages])
    truth, found = measured.system.test.truth, measured.system.found()

    def of(rows: Rows, drawn: Rows) -> float:
        return macro_f1(truth[rows[drawn]], found[rows[drawn]])

    figures = {}
    for name in (REAL, WRITTEN):
        rows = np.flatnonzero(origins == name)
        if truth[rows].any():
            figures[name] = bootstrap(partial(of, rows), measured.groups[rows])
    return figures


def page(found: dict[str, Any]) -> str:
    """Write the comparison: a table for each side."""
    return "\n".join(line for side in SIDES for line in _side(SIDES[side], found[side]))


def _side(title: str, models: list[dict[str, Any]]) -> list[str]:
    rows = {
        "macro F1": [figure(m["macro_f1"]) for m in models],
        **{
            f"macro F1, {name}": [figure(m["macro_f1_by_origin"][name]) for m in models]
            for name in models[0]["macro_f1_by_origin"]
        },
        "average precision": [figure(m["average_precision"]) for m in models],
        "stance accuracy": [figure(m["stance_accuracy"]) for m in models],
        **{
            f"neutral passages with an accepted finding, {name}": [
                rate(m["neutral_accepted"][name]) for m in models
            ]
            for name in models[0]["neutral_accepted"]
        },
        "`rebuts` passages accepted as `advances`": [
            rate(m["debunks_accepted_as_claims"]) for m in models
        ],
        "gain in macro F1, paired": [_gain(m, "macro_f1") for m in models],
        "gain in stance accuracy, paired": [_gain(m, "stance_accuracy") for m in models],
    }
    return [
        f"### {title}: {models[0]['passages']} passages",
        "",
        *table(["", *(m["model"] for m in models)], [[what, *row] for what, row in rows.items()]),
        "",
    ]


def _gain(model: dict[str, Any], what: str) -> str:
    return figure(model["gain"][what]) if model["gain"] else "-"
