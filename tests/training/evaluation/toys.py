"""A measured model made of numbers: no network, so that every figure can be computed by hand."""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from serving.decisions import Decisions
from serving.model_folder import NarrativeDecision, StanceDecision
from training.encoding import narrative_row, stance_row
from training.evaluation.measured import Measured
from training.evaluation.system import System
from training.labels.records import Labels, StandOff, Written
from training.labels.sources import Passage
from training.readout import Readout
from training.taxonomy import Taxonomy

NARRATIVES, STANCES = ["red", "blue"], ["advances", "reports", "rebuts"]
ACCEPT, REVIEW, STANCE_ACCEPT = 0.8, 0.3, 0.6


def taxonomy(stances: Sequence[str] = STANCES) -> Taxonomy:
    def entries(names: Sequence[str]) -> list[dict[str, object]]:
        return [{"id": name, "title": {"en": name}, "definition": name} for name in names]

    return Taxonomy.model_validate(
        {"version": "1.0.0", "narratives": entries(NARRATIVES), "stances": entries(stances)}
    )


def passage(
    labels: Labels, text: str = "a text", *, lang: str = "en", source: str = "written"
) -> Passage:
    common = {"id": text, "lang": lang, "labels": labels, "annotator": "t", "date": "2026-01-01"}
    record: Written | StandOff
    if source == "written":
        record = Written.model_validate({"how": source, "register": "post", "text": text, **common})
    else:
        stand_off = {"how": "stand-off", "source": source, "sha256": "0" * 64, "picked": "random"}
        record = StandOff.model_validate({**stand_off, **common})
    return Passage(
        key=record.key, text=text, lang=lang, labels=labels, source=source, record=record
    )


Said = dict[str, tuple[float, str, float]]
"""Narrative -> probability, stance, probability of that stance."""


def readout(passages: Sequence[Passage], said: Sequence[Said]) -> Readout:
    names = taxonomy()
    narratives = np.zeros((len(said), len(NARRATIVES)))
    stances = np.full((len(said), len(NARRATIVES), len(STANCES)), 1 / 3)
    for row, findings in enumerate(said):
        for narrative, (probability, stance, sureness) in findings.items():
            column = NARRATIVES.index(narrative)
            narratives[row, column] = probability
            stances[row, column] = (1 - sureness) / 2
            stances[row, column, STANCES.index(stance)] = sureness
    return Readout(
        narratives=narratives,
        stances=stances,
        truth=np.array([narrative_row(p.labels, names) for p in passages]),
        stance_truth=np.array([stance_row(p.labels, names) for p in passages]),
    )


def measured(passages: Sequence[Passage], said: Sequence[Said]) -> Measured:
    """Every passage is a group of its own; dev puts the thresholds of what is found at 0.5."""
    rule = NarrativeDecision(slope=1, intercept=0, accept=ACCEPT, review=REVIEW)
    manifest = SimpleNamespace(
        name="toy-1",
        narratives=[SimpleNamespace(id=name) for name in NARRATIVES],
        stances=[SimpleNamespace(id=name) for name in STANCES],
        decisions=dict.fromkeys(NARRATIVES, rule),
        stance=StanceDecision(temperature=1, accept=dict.fromkeys(STANCES, STANCE_ACCEPT)),
        languages={"en": 30},
    )
    assert Decisions(manifest).accept.tolist() == [ACCEPT, ACCEPT]
    dev = readout(
        [passage(dict.fromkeys(NARRATIVES, "advances"), "with"), passage({}, "without")],
        [dict.fromkeys(NARRATIVES, (p, "advances", 1.0)) for p in (0.5, 0.2)],
    )
    return Measured(
        classifier=SimpleNamespace(manifest=manifest),
        system=System(name="toy-1", dev=dev, test=readout(passages, said)),
        passages=list(passages),
        groups=np.arange(len(passages)),
    )
