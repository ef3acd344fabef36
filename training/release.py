"""Makes a model folder out of a run: export, calibration on dev, figures on test, model card."""

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from serving.classifier import Classifier
from serving.model_folder import NarrativeDecision, StanceDecision
from serving.normalise import normalise
from training import calibrate, export, readout, run
from training.corpus import Corpus
from training.errors import TrainingError
from training.evaluation.measured import Measured, measure
from training.evaluation.parts import KEYS, slices
from training.evaluation.system import compare
from training.labels.sources import Passage
from training.model_card import write_card

CALIBRATION_SEED = 11
FEWEST_OF_A_LANGUAGE = 20
"""A language with fewer passages in training is not called supported."""


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
    stance = calibrate.spare_debunks(
        calibrate.stance(raw, taxonomy.stance_ids), raw, decisions, taxonomy
    )

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
    metrics = figures(measure(target, corpus))
    manifest(metrics)
    write_card(target)
    target.replace(final)
    scratch.rmdir()
    return metrics


def _languages(train: list[Passage]) -> dict[str, int]:
    counts = Counter(passage.lang for passage in train).most_common()
    return {code: count for code, count in counts if count >= FEWEST_OF_A_LANGUAGE}


def figures(measured: Measured) -> dict[str, Any]:
    """Return the figures that the manifest carries."""
    languages = slices(measured, KEYS["language"])
    return {
        "test_passages": len(measured.passages),
        **compare(measured.system, measured.groups).as_json(),
        "macro_f1_by_language": {
            part.name: round(part.macro_f1, 4)
            for part in languages
            if part.macro_f1 is not None and part.carrying >= 30
        },
    }
