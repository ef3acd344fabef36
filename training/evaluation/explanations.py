"""Whether explanations are faithful: the named words must matter more than any others."""

import random
import re
from typing import Any

import numpy as np

from serving.explanations import explain, without
from serving.normalise import normalise
from serving.passages import Span
from training.evaluation.measured import Measured
from training.metrics import Array, bootstrap

FINDINGS = 150
DRAWS = 5
"""Sets of random words that a finding's named words are compared with."""
SEED = 3

_WORD = re.compile(r"\S+")


def faithfulness(measured: Measured, most: int = FINDINGS) -> dict[str, Any] | None:
    """Delete the words that explanations name, and as many others at random.

    Returns:
        How much confidence findings lose without the `named` words, without `random` ones, the
        paired `difference` with its interval, and the `share` of findings in which the named ones
        matter more. None if no finding has an explanation.
    """
    generator = random.Random(SEED)  # noqa: S311 - no secret is drawn
    pairs = np.argwhere(measured.system.found())
    chosen = sorted(generator.sample(range(len(pairs)), min(most, len(pairs))))
    drops, groups = [], []
    for row, narrative in pairs[chosen]:
        drop = _drop(measured, measured.passages[row].text, int(narrative), generator)
        if drop is not None:
            drops.append(drop)
            groups.append(measured.groups[row])
    if not drops:
        return None
    named, at_random = np.array(drops).T
    numbers = np.array(groups)
    return {
        "findings": len(drops),
        "unexplained": len(chosen) - len(drops),
        "named": bootstrap(lambda rows: _mean(named[rows]), numbers).as_json(),
        "random": bootstrap(lambda rows: _mean(at_random[rows]), numbers).as_json(),
        "difference": bootstrap(lambda r: _mean((named - at_random)[r]), numbers).as_json(),
        "share": round(float((named > at_random).mean()), 4),
    }


def _drop(
    measured: Measured, text: str, narrative: int, generator: random.Random
) -> tuple[float, float] | None:
    """Return what is lost without the named words and, on average, without random ones."""
    # Read as one passage, cut at the token limit: what is explained must be what is deleted.
    plain = normalise(text).text
    name = measured.classifier.narratives[narrative]
    named = [Span(w.begin, w.end) for w in explain(measured.classifier, plain, [name])[name]]
    words = [Span(*word.span()) for word in _WORD.finditer(plain)]
    count = sum(any(s.begin <= word.begin < s.end for s in named) for word in words)
    if not 0 < count < len(words):
        return None
    others = [without(plain, generator.sample(words, count)) for _ in range(DRAWS)]
    column = measured.classifier.weigh([plain, without(plain, named), *others])[:, narrative]
    return float(column[0] - column[1]), float(column[0] - column[2:].mean())


def _mean(values: Array) -> float:
    return float(values.mean())
