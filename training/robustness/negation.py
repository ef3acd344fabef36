"""Negation: the one change that turns a label, so it is measured apart.

A passage that advances a claim, put under a sentence that calls it untrue, rebuts the claim: the
narrative must still be found and the stance must turn. How a sentence is negated from within
depends on its grammar; a frame before the whole passage is right in every one of them.
"""

from training.labels.sources import Passage

FRAMES = {
    "en": "This is not true: {}",
    "ru": "Это неправда: {}",
    "uk": "Це неправда: {}",
    "kk": "Бұл шындыққа жанаспайды: {}",
}
"""By language; passages in others are left out."""


def denied(passage: Passage) -> str | None:
    """Return the passage's text under a denial; None in a language without a frame."""
    frame = FRAMES.get(passage.lang)
    return frame.format(passage.text) if frame else None
