"""Makes a model folder out of a run: export, calibration on dev, figures on test, model card."""

import random
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.classifier import Classifier
from serving.model_folder import NarrativeDecision, StanceDecision
from serving.normalise import normalise
from training import calibrate, export, readout, run
from training.corpus import Corpus
from training.errors import TrainingError
from training.evaluation import System, compare, slices
from training.labels.sources import Passage
from training.model_card import write_card

CALIBRATION_SEED = 11
FEWEST_OF_A_LANGUAGE = 20
"""A language with fewer passages in training is not called supported."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A model folder read on dev and test, through serving's classifier."""

    system: System
    accepted: NDArray[np.bool_]
    """Test passages and narratives that serving would answer with `accept`, stance included."""
    reviewed: NDArray[np.bool_]
    """Those that it would answer at all."""


def export_run(folder: Path, corpus: Corpus, final: Path, *, int8: bool = True) -> dict[str, Any]:
    """Export a finished run to the folder `final` and return the manifest's metrics.

    The folder is first written with the identity as calibration and read back through serving, so
    that what is calibrated and measured is the released graph and not the one in torch.

    Raises:
        TrainingError: the run is unfinished, or `corpus` is not what it was trained on.
    """
    network, base, recipe, about = run.load(folder, corpus)
    if about["data"] != corpus.describe():
        raise TrainingError(
            f"{folder} was trained on other labels or with another split than those given now: "
            "what it was trained on could be among what it is measured on. Train again."
        )
    shutil.rmtree(final, ignore_errors=True)
    scratch = final.parent / f".{final.name}.partial"
    shutil.rmtree(scratch, ignore_errors=True)
    # Written elsewhere and moved when it is whole: a killed export leaves no folder that serves.
    target = scratch / final.name
    train = corpus.side("train")
    sample = random.Random(CALIBRATION_SEED).sample(  # noqa: S311 - no secret is drawn
        train, min(export.CALIBRATION_PASSAGES, len(train))
    )
    graph = export.graph(
        network,
        width=network.heads.hidden,
        int8=int8,
        calibration=base.tokens.encode([normalise(passage.text).text for passage in sample]),
    )
    export.write_parts(network, base.folder / run.TOKENIZER, graph, target)

    taxonomy = corpus.taxonomy
    reading = run.reading_of(base, recipe)
    parts = {
        "languages": _languages(train),
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
    target.replace(final)
    scratch.rmdir()
    return metrics


def _languages(train: list[Passage]) -> dict[str, int]:
    counts = Counter(passage.lang for passage in train).most_common()
    return {code: count for code, count in counts if count >= FEWEST_OF_A_LANGUAGE}


def measure(folder: Path, corpus: Corpus) -> Measured:
    """Read dev and test through a model folder.

    Raises:
        TrainingError: the folder's narratives are not those of the corpus.
    """
    classifier = Classifier.load(folder)
    manifest = classifier.manifest
    if (classifier.narratives, classifier.stances) != (
        corpus.taxonomy.narrative_ids,
        corpus.taxonomy.stance_ids,
    ):
        raise TrainingError(
            f"{folder} tells other narratives or stances than the taxonomy given, or in another "
            "order: pass the --taxonomy that it was made with."
        )
    rules = [manifest.decisions[label.id] for label in manifest.narratives]
    dev = readout.read(classifier, corpus.side("dev"), corpus.taxonomy)
    test = readout.read(classifier, corpus.side("test"), corpus.taxonomy)
    accept = np.array([rule.accept for rule in rules])
    stance_accept = np.array([manifest.stance.accept[s.id] for s in manifest.stances])
    sure = test.stances.max(-1) >= stance_accept[test.stances.argmax(-1)]
    return Measured(
        system=System(name=manifest.name, dev=dev, test=test),
        accepted=(test.narratives >= accept) & sure,
        reviewed=test.narratives >= np.array([rule.review for rule in rules]),
    )


def figures(measured: Measured, test: list[Passage]) -> dict[str, Any]:
    """Return the figures that the manifest carries."""
    languages = slices(measured.system, test, measured.accepted, lambda passage: passage.lang)
    return {
        "test_passages": len(test),
        **compare(measured.system, test).as_json(),
        "macro_f1_by_language": {
            part.name: round(part.macro_f1, 4)
            for part in languages
            if part.macro_f1 is not None and part.carrying >= 30
        },
    }
