"""The evaluation as one object for machines; pages and plots are made of it alone."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from training.corpus import Corpus
from training.evaluation.confidence import abstention, reliability
from training.evaluation.debunks import debunks, stance_confusions
from training.evaluation.measured import Measured
from training.evaluation.parts import (
    KEYS,
    by_narrative,
    by_stance,
    neutral_false_positives,
    slices,
)
from training.evaluation.system import System, compare, difference
from training.metrics import Figure


def evaluate(
    measured: Measured, others: Sequence[System], corpus: Corpus, **parts: Any
) -> dict[str, Any]:
    """Measure a model folder on the test side.

    Args:
        measured: the folder, read on dev and test.
        others: baselines, or the unquantised network, read on the same sides.
        corpus: that it was read on.
        parts: what was measured apart (`neutral_sources`, `robustness`, `explanations`), as it
            shall stand in the report.
    """
    model = measured.system
    stances = corpus.taxonomy.stance_ids
    flagged = debunks(measured, stances)
    return {
        "model": model.name,
        "data": corpus.describe(),
        "left_out": corpus.left_out(),
        "systems": {
            system.name: compare(system, measured.groups).as_json() for system in (model, *others)
        },
        "differences": {
            system.name: _json(difference(model, system, measured.groups)) for system in others
        },
        "thresholds": {
            name: round(float(threshold), 6)
            for name, threshold in zip(corpus.taxonomy.narrative_ids, model.thresholds, strict=True)
        },
        "narratives": [
            asdict(part) for part in by_narrative(measured, corpus.taxonomy.narrative_ids)
        ],
        "stances": [asdict(part) for part in by_stance(measured, stances)],
        "stances_accepted": stance_confusions(measured, stances),
        "debunks_as_claims": flagged
        and {"accepted": flagged.accepted.as_json(), "found": flagged.found.as_json()},
        "neutral": {
            origin: {lang: rate.as_json() for lang, rate in rates.items()}
            for origin, rates in neutral_false_positives(measured).items()
        },
        "reliability": reliability(measured),
        "abstention": abstention(measured),
        "languages": sorted(measured.languages),
        "slices": {
            title: [asdict(part) for part in slices(measured, key)] for title, key in KEYS.items()
        },
        **parts,
    }


def _json(figures: dict[str, Figure]) -> dict[str, Any]:
    return {name: figure.as_json() for name, figure in figures.items()}
