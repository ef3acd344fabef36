"""All perturbations by name: each a pure function of a text and a seeded generator.

None changes what a passage claims or how it stands to it, so its labels hold for what comes out.
A text that has nothing to be changed (no Cyrillic to transliterate) comes out as it was. What does
change the labels, negation, stands apart in `negation.py`.
"""

import random
from collections.abc import Callable

from training.robustness import post, script, spelling, wording

Perturbation = Callable[[str, random.Random], str]

PERTURBATIONS: dict[str, Perturbation] = {
    "lower case": spelling.lower,
    "upper case": spelling.upper,
    "punctuation removed": spelling.without_punctuation,
    "quotation marks removed": spelling.without_quotation_marks,
    "typos": spelling.typos,
    "look-alike letters": script.lookalikes,
    "zero-width characters": script.zero_width,
    "transliteration": script.transliterated,
    "emoji": post.emoji,
    "hashtags": post.hashtags,
    "by-line": post.byline,
    "actors swapped": wording.actors_swapped,
    "sentence order": wording.sentences_shuffled,
}


def perturb(name: str, texts: list[str], seed: int = 0) -> list[str]:
    """Change every text; each is seeded by itself, so that its neighbours do not matter.

    Raises:
        KeyError: there is no perturbation of that name.
    """
    change = PERTURBATIONS[name]
    # Seeded with a string, which Python hashes the same way in every process.
    return [change(text, random.Random(f"{seed} {name} {text}")) for text in texts]  # noqa: S311
