"""Which words carried a finding: what its confidence loses without them (occlusion).

A passage's words are put into at most `GROUPS` runs, and each run is left out in turn (Zeiler and
Fergus 2014, arXiv:1311.2901). All findings of a passage read the same occluded passages, so that
an explained passage costs at most `GROUPS` + 1 further ones through the network, and a text at most
`PASSAGES` times as many, however long it is.
"""

import re
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

from serving.classifier import Classifier
from serving.decisions import Array
from serving.normalise import normalise
from serving.passages import Span
from serving.predictions import Finding, Prediction, Words

GROUPS = 16
PASSAGES = 8
"""Passages of a text that are explained: those of its best findings."""
NAMED = 4
"""Runs of words that an explanation names at most."""
LEAST = 0.01
"""Runs whose absence costs less confidence are not named."""

_WORD = re.compile(r"\S+")


Weigh = Callable[[Sequence[str]], Array]
"""Returns P(narrative) of normalised passages, shape (passages, narratives)."""


def explained(
    classifier: Classifier, text: str, prediction: Prediction, weigh: Weigh | None = None
) -> Prediction:
    """Return the prediction of `text` with an explanation of its best findings.

    Findings of further passages than the first `PASSAGES` keep none. The classifier weighs the
    occluded passages itself unless `weigh` does, such as a queue that it shares with others.
    """
    passages = list(dict.fromkeys((f.begin, f.end) for f in prediction.narratives))[:PASSAGES]
    found = {
        Span(*passage): explain(
            classifier,
            text[slice(*passage)],
            [f.narrative for f in prediction.narratives if (f.begin, f.end) == passage],
            weigh,
        )
        for passage in passages
    }
    findings = [
        _with(finding, found.get(Span(finding.begin, finding.end)))
        for finding in prediction.narratives
    ]
    return prediction.model_copy(update={"narratives": findings})


def _with(finding: Finding, found: dict[str, list[Words]] | None) -> Finding:
    if found is None:
        return finding
    moved = [
        words.model_copy(
            update={"begin": words.begin + finding.begin, "end": words.end + finding.begin}
        )
        for words in found[finding.narrative]
    ]
    return finding.model_copy(update={"explanation": moved})


def explain(
    classifier: Classifier, passage: str, narratives: Sequence[str], weigh: Weigh | None = None
) -> dict[str, list[Words]]:
    """Name the words of a passage that carry each of `narratives`, the weightiest first.

    Offsets are code points of `passage`. Runs that lie side by side are named as one, with the sum
    of their weights.
    """
    normalised = normalise(passage)
    runs = grouped(normalised.text)
    texts = [normalised.text, *(without(normalised.text, [run]) for run in runs)]
    confidences = (weigh or classifier.weigh)(texts)
    found = {}
    for narrative in narratives:
        column = confidences[:, classifier.narratives.index(narrative)]
        weights = column[0] - column[1:]
        best = sorted(range(len(runs)), key=lambda run: -weights[run])[:NAMED]
        named = sorted(run for run in best if weights[run] >= LEAST)
        words = []
        for _, side_by_side in groupby(enumerate(named), key=lambda pair: pair[1] - pair[0]):
            members = [run for _, run in side_by_side]
            begin, end = normalised.original(runs[members[0]].begin, runs[members[-1]].end)
            weight = round(min(1.0, float(weights[members].sum())), 4)
            words.append(Words(begin=begin, end=end, weight=weight))
        found[narrative] = sorted(words, key=lambda one: (-one.weight, one.begin))
    return found


def grouped(text: str) -> list[Span]:
    """Cut the words of a text into at most `GROUPS` runs of nearly the same number."""
    words = [Span(*word.span()) for word in _WORD.finditer(text)]
    count = min(GROUPS, len(words))
    bounds = [round(index * len(words) / count) for index in range(count + 1)] if count else []
    return [Span(words[first].begin, words[last - 1].end) for first, last in pairwise(bounds)]


def without(text: str, spans: Sequence[Span]) -> str:
    """Leave spans of a text out, and the white space that they leave behind."""
    kept, at = [], 0
    for span in sorted(spans, key=lambda span: span.begin):
        kept.append(text[at : span.begin])
        at = span.end
    return " ".join("".join([*kept, text[at:]]).split())
