"""The shortcut audit: how far do wrong signals get (Geirhos et al. 2020; Gururangan et al. 2018)?

For every signal a logistic regression is cross-validated over whole groups on three tasks: whether
a passage carries any narrative, whether it carries each one, and in which stance it carries what it
carries. AUC 0.5 and the F1 of the most frequent stance are what knowing nothing gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from training.labels import groups, signals
from training.labels.folds import out_of_fold
from training.labels.sources import Passage
from training.metrics import Labels
from training.readout import stance_truth, truth
from training.taxonomy import Taxonomy

TOP = 10
"""Words that are named for each label."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What a signal tells; None where there are too few groups to cross-validate."""

    name: str
    features: int
    any_narrative: float | None
    """AUC of carrying any."""
    narratives: dict[str, float | None]
    """AUC of each."""
    stance: float | None
    """Macro F1 over the stances of carried narratives."""
    stance_words: dict[str, list[str]] = field(default_factory=dict)
    narrative_words: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the figures for machines."""
        return {
            "features": self.features,
            "auc_of_any_narrative": _rounded(self.any_narrative),
            "auc_by_narrative": {n: _rounded(auc) for n, auc in self.narratives.items()},
            "mean_auc_of_narratives": _rounded(_mean(self.narratives.values())),
            "macro_f1_of_stance": _rounded(self.stance),
            "words_of_stances": self.stance_words,
            "words_of_narratives": self.narrative_words,
        }


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What is to be told, and of which passages."""

    carried: Labels
    stances: Labels
    """Of each pair of passage and carried narrative."""
    rows: Labels
    """The passage of each pair."""
    numbers: Labels
    taxonomy: Taxonomy


def audit(passages: Sequence[Passage], taxonomy: Taxonomy) -> dict[str, Any]:
    """Measure all signals; the result is JSON, `markdown` writes it out."""
    table = stance_truth(passages, taxonomy)
    rows, columns = np.nonzero(table >= 0)
    task = _Task(
        carried=truth(passages, taxonomy),
        stances=table[rows, columns],
        rows=rows,
        numbers=np.array(groups.assign(passages)),
        taxonomy=taxonomy,
    )
    vocabularies = {"single words": signals.words(passages), "names": signals.names(passages)}
    found = [
        *(
            _measure(name, make(passages), [], task)
            for name, make in (
                ("length, punctuation, digits, quotes", signals.surface),
                ("language", signals.language),
                ("origin, source, register", signals.provenance),
                ("annotator", signals.annotator),
            )
        ),
        *(
            _measure(name, features, words, task)
            for name, (features, words) in vocabularies.items()
        ),
    ]
    most = np.bincount(task.stances).argmax() if len(rows) else 0
    guess = np.full(len(rows), most)
    return {
        "passages": len(passages),
        "groups": len(np.unique(task.numbers)),
        "macro_f1_of_most_frequent_stance": _rounded(_f1(task.stances, guess)),
        "signals": {signal.name: signal.as_json() for signal in found},
    }


def _measure(name: str, features: csr_matrix, words: list[str], task: _Task) -> Signal:
    ids, stance_ids = task.taxonomy.narrative_ids, task.taxonomy.stance_ids
    pairs = features[task.rows]
    if not features.shape[1]:
        nothing: dict[str, float | None] = dict.fromkeys(ids)
        return Signal(name=name, features=0, any_narrative=None, narratives=nothing, stance=None)
    return Signal(
        name=name,
        features=features.shape[1],
        any_narrative=_auc(features, task.carried.max(1), task.numbers),
        narratives={
            narrative: _auc(features, task.carried[:, column], task.numbers)
            for column, narrative in enumerate(ids)
        },
        stance=_stance(pairs, task),
        stance_words={
            stance: _strongest(pairs, task.stances == number, words)
            for number, stance in enumerate(stance_ids)
        }
        if words
        else {},
        narrative_words={
            narrative: _strongest(features, task.carried[:, column] == 1, words)
            for column, narrative in enumerate(ids)
        }
        if words
        else {},
    )


def _model() -> Any:
    # Scaled, since logarithms of lengths and single letters would be penalised unlike; balanced,
    # so that a rare stance is not given up from the start.
    return make_pipeline(
        MaxAbsScaler(), LogisticRegression(solver="liblinear", class_weight="balanced")
    )


def _auc(features: csr_matrix, target: Labels, numbers: Labels) -> float | None:
    found = out_of_fold(_model(), features, target, numbers)
    return None if found is None else float(roc_auc_score(target, found[:, 1]))


def _stance(pairs: csr_matrix, task: _Task) -> float | None:
    # One against the rest: liblinear tells only two classes apart.
    columns = []
    for number in range(len(task.taxonomy.stances)):
        target = (task.stances == number).astype(int)
        found = out_of_fold(_model(), pairs, target, task.numbers[task.rows])
        if found is None:
            return None
        columns.append(found[:, 1])
    return _f1(task.stances, np.stack(columns, 1).argmax(1))


def _f1(target: Labels, found: Labels) -> float | None:
    return float(f1_score(target, found, average="macro", zero_division=0)) if len(target) else None


def _strongest(features: csr_matrix, target: Any, words: list[str]) -> list[str]:
    if len(np.unique(target)) < 2:
        return []
    model = LogisticRegression(solver="liblinear", class_weight="balanced").fit(features, target)
    # A weight counts by how far its word varies, or words that stand in a dozen texts would lead.
    # (A word that stands everywhere may come out a rounding error above 1.)
    shares = np.minimum(np.asarray(features.mean(0)).ravel(), 1)
    weights = model.coef_[0] * np.sqrt(shares * (1 - shares))
    return [words[index] for index in np.argsort(-weights)[:TOP].tolist() if weights[index] > 0]


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def markdown(found: dict[str, Any]) -> str:
    """Write the audit."""
    lines = [
        f"Cross-validated over {found['groups']} groups of {found['passages']} passages.",
        "AUC 0.50 is chance; always saying the most frequent stance has macro F1 "
        f"{_cell(found['macro_f1_of_most_frequent_stance'])}.",
        "",
        "| signal | features | AUC, any narrative | mean AUC, each narrative | macro F1, stance |",
        "|---|---|---|---|---|",
    ]
    for name, signal in found["signals"].items():
        figures = ("auc_of_any_narrative", "mean_auc_of_narratives", "macro_f1_of_stance")
        cells = " | ".join(_cell(signal[figure]) for figure in figures)
        lines.append(f"| {name} | {signal['features']} | {cells} |")
    titles = list(found["signals"])
    lines += [
        "",
        "AUC of each narrative, by signal:",
        "",
        f"| narrative | {' | '.join(titles)} |",
        "|---|" + "---|" * len(titles),
    ]
    first = next(iter(found["signals"].values()))
    for narrative in first["auc_by_narrative"]:
        row = [_cell(s["auc_by_narrative"][narrative]) for s in found["signals"].values()]
        lines.append(f"| `{narrative}` | {' | '.join(row)} |")
    for name, signal in found["signals"].items():
        for kind in ("stances", "narratives"):
            if chosen := signal[f"words_of_{kind}"]:
                lines += ["", f"Strongest {name} of {kind}:", ""]
                lines += [f"- `{label}`: {', '.join(words)}" for label, words in chosen.items()]
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
