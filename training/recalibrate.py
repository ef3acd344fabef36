"""Refits calibration and thresholds of a model folder on a desk's own labels, without training."""

import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from serving.classifier import Classifier
from serving.decisions import sigmoid, softmax
from serving.model_folder import Manifest, NarrativeDecision, StanceDecision, open_folder
from training import calibrate, readout, risk
from training.calibrate import Raw
from training.errors import TrainingError
from training.export import save_manifest
from training.labels import groups
from training.labels.sources import Passage
from training.model_card import write_card
from training.taxonomy import Taxonomy

DELTA = 0.1
"""Chance that the promise is false."""
FIT_SHARE = 0.5
"""Of the groups, those that calibration is fitted on; the promise is tested on the others."""
SEED = 5


def recalibrate(
    model: Path,
    passages: Sequence[Passage],
    taxonomy: Taxonomy,
    *,
    limit: float,
    final: Path,
    delta: float = DELTA,
) -> dict[str, Any]:
    """Write the folder `final`: the weights of `model` behind new decisions.

    Half of the groups of passages fit the calibration and the review thresholds, the other half
    tests how generous `accept` may be. One level holds for the probability of every narrative and
    of every stance.

    Args:
        model: a model folder.
        passages: labelled ones that did not train it.
        taxonomy: the model's.
        limit: share of the accepted findings that may be wrong: no such narrative in the passage,
            or another stance to it.
        final: where the new folder goes; its name is the new model's.
        delta: chance that the promise is false.

    Returns:
        The promise and what it rests on, as the manifest holds it.

    Raises:
        TrainingError: the labels do not suffice, or `final` exists.
    """
    if final.exists():
        raise TrainingError(f"{final} exists already: pass another --out.")
    manifest = open_folder(model)
    if [label.id for label in manifest.narratives] != taxonomy.narrative_ids:
        raise TrainingError(
            f"{model} tells other narratives than the taxonomy given: pass the --taxonomy that it "
            "was made with."
        )
    fit, test = _halves(passages)
    partial = final.with_name(f".{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        shutil.copytree(model.resolve(), partial)
        save_manifest(partial, _identity(manifest))
        classifier = Classifier.load(partial)
        fitted = readout.read(classifier, [passage for passage, _ in fit], taxonomy).as_raw()
        decisions = calibrate.decisions(fitted, taxonomy.narrative_ids)
        stance = calibrate.stance(fitted, taxonomy.stance_ids)
        tested = readout.read(classifier, [passage for passage, _ in test], taxonomy).as_raw()
        findings = _findings(tested, decisions, stance, [group for _, group in test])
        promise = _certified(findings, limit, delta, len(passages))
        level = promise["level"]
        about = {**promise, "of": manifest.name, "fitted_on": len(fit), "tested_on": len(test)}
        save_manifest(
            partial,
            manifest.model_copy(
                update={
                    "name": final.name,
                    "decisions": {
                        name: rule.model_copy(
                            update={"accept": level, "review": min(rule.review, level)}
                        )
                        for name, rule in decisions.items()
                    },
                    "stance": StanceDecision(
                        temperature=stance.temperature,
                        accept=dict.fromkeys(taxonomy.stance_ids, level),
                    ),
                    "training": {**manifest.training, "recalibrated": about},
                    # Measured with other decisions: no longer this model's.
                    "metrics": {},
                }
            ),
        )
        write_card(partial)
        partial.replace(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return about


def _halves(
    passages: Sequence[Passage],
) -> tuple[list[tuple[Passage, int]], list[tuple[Passage, int]]]:
    """Cut the passages, each with its group's number, in two; no group is on both sides."""
    numbered = list(zip(passages, groups.assign(passages), strict=True))
    names = sorted({group for _, group in numbered})
    random.Random(SEED).shuffle(names)  # noqa: S311 - no secret is drawn
    fitting = set(names[: round(len(names) * FIT_SHARE)])
    fit = [pair for pair in numbered if pair[1] in fitting]
    return fit, [pair for pair in numbered if pair[1] not in fitting]


def _identity(manifest: Manifest) -> Manifest:
    rule = NarrativeDecision(slope=1, intercept=0, accept=1, review=1)
    accept = dict.fromkeys(manifest.stance.accept, 1.0)
    return manifest.model_copy(
        update={
            "decisions": dict.fromkeys(manifest.decisions, rule),
            "stance": StanceDecision(temperature=1, accept=accept),
        }
    )


def _findings(
    raw: Raw,
    decisions: dict[str, NarrativeDecision],
    stance: StanceDecision,
    numbers: Sequence[int],
) -> risk.Findings:
    slopes = np.array([rule.slope for rule in decisions.values()])
    intercepts = np.array([rule.intercept for rule in decisions.values()])
    narratives = sigmoid(raw.scores * slopes + intercepts)
    stances = softmax(raw.stances / stance.temperature)
    # Wrong: no such narrative (its stance is negative then), or another stance to it.
    wrong = stances.argmax(-1) != raw.stance_truth
    return risk.Findings(
        sureness=np.minimum(narratives, stances.max(-1)).reshape(-1),
        wrong=wrong.reshape(-1),
        group=np.repeat(np.array(numbers), narratives.shape[1]),
    )


def _certified(findings: risk.Findings, limit: float, delta: float, count: int) -> dict[str, Any]:
    found = risk.certify(findings, risk=limit, delta=delta)
    if found is None:
        more = risk.needed(findings, risk=limit, delta=delta)
        remedy = (
            f"about {count * more:,.0f} of the same kind would do, if the model errs on them as "
            "often."
            if more
            else "at no level does the model err that rarely on these labels: allow a higher "
            "--risk, or train on them."
        )
        raise TrainingError(
            f"{count} labelled passages do not show that at most {limit:.1%} of the accepted "
            f"findings are wrong: {remedy}"
        )
    return {"risk": limit, "delta": delta, **asdict(found)}
