"""Makes a model folder out of a run: export, calibration on dev, figures on test, model card."""

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.classifier import Classifier
from serving.model_folder import NarrativeDecision, StanceDecision
from training import calibrate, export, readout, run
from training.corpus import Corpus
from training.evaluation import System, compare, slices
from training.labels.sources import Passage
from training.model_card import write_card

CALIBRATION_SEED = 11


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A model folder read on dev and test, through serving's classifier."""

    classifier: Classifier
    system: System
    accept: Any
    review: Any
    stance_accept: Any


def export_run(folder: Path, corpus: Corpus, target: Path, *, int8: bool = True) -> dict[str, Any]:
    """Export a finished run to `target` and return the manifest's metrics.

    The folder is first written with the identity as calibration and read back through serving, so
    that what is calibrated and measured is the released graph and not the one in torch.
    """
    network, base, recipe, about = run.load(folder, corpus)
    train = corpus.side("train")
    sample = random.Random(CALIBRATION_SEED).sample(  # noqa: S311 - no secret is drawn
        train, min(export.CALIBRATION_PASSAGES, len(train))
    )
    graph = export.graph(
        network,
        width=network.heads.hidden,
        int8=int8,
        calibration=base.tokens.encode([passage.text for passage in sample]),
    )
    export.write_parts(network, base.folder / run.TOKENIZER, graph, target)

    taxonomy = corpus.taxonomy
    reading = run.reading_of(base, recipe)
    parts = {
        "languages": dict(Counter(passage.lang for passage in train).most_common()),
        "base": {name: str(value) for name, value in about["base"].items() if name != "requested"},
        "data": about["data"],
        "training": {"recipe": about["recipe"], **about["history"]},
    }
    identity = NarrativeDecision(slope=1, intercept=0, accept=1, review=1)
    export.write_manifest(
        target,
        taxonomy=taxonomy,
        decisions=dict.fromkeys(taxonomy.narrative_ids, identity),
        stance=StanceDecision(temperature=1, accept=dict.fromkeys(taxonomy.stance_ids, 1.0)),
        reading=reading,
        about={**parts, "metrics": {}},
    )
    raw = readout.read(Classifier.load(target), corpus.side("dev"), taxonomy).as_raw()
    decisions = calibrate.decisions(raw, taxonomy.narrative_ids)
    stance = calibrate.stance(raw, taxonomy.stance_ids)

    def manifest(metrics: dict[str, Any]) -> None:
        export.write_manifest(
            target,
            taxonomy=taxonomy,
            decisions=decisions,
            stance=stance,
            reading=reading,
            about={**parts, "metrics": metrics},
        )

    manifest({})
    metrics = figures(measure(target, corpus), corpus.side("test"))
    manifest(metrics)
    write_card(target)
    return metrics


def measure(folder: Path, corpus: Corpus) -> Measured:
    """Read dev and test through a model folder."""
    classifier = Classifier.load(folder)
    manifest = classifier.manifest
    rules = [manifest.decisions[label.id] for label in manifest.narratives]
    return Measured(
        classifier=classifier,
        system=System(
            name=manifest.name,
            dev=readout.read(classifier, corpus.side("dev"), corpus.taxonomy),
            test=readout.read(classifier, corpus.side("test"), corpus.taxonomy),
        ),
        accept=np.array([rule.accept for rule in rules]),
        review=np.array([rule.review for rule in rules]),
        stance_accept=np.array([manifest.stance.accept[s.id] for s in manifest.stances]),
    )


def figures(measured: Measured, test: list[Passage]) -> dict[str, Any]:
    """Return the figures that the manifest carries."""
    languages = slices(measured.system, test, measured.accept, lambda passage: passage.lang)
    return {
        "test_passages": len(test),
        **compare(measured.system, test).as_json(),
        "macro_f1_by_language": {
            part.name: round(part.macro_f1, 4) for part in languages if part.carrying >= 30
        },
    }
