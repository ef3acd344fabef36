"""Trims a unigram vocabulary to the scripts that are served.

Four fifths of a small multilingual encoder is its table of word pieces, and most of its pieces
belong to scripts that the product does not serve. A piece stays if all its letters are of a served
script; digits, punctuation and symbols stay, so does every single served letter.
"""

import unicodedata
from collections.abc import Iterable, Sequence

SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "GEORGIAN")
SPECIALS = 4
"""The first pieces (<s>, <pad>, </s>, <unk>) are kept whatever they look like."""


def served_pieces(pieces: Sequence[str], scripts: Iterable[str] = SCRIPTS) -> list[int]:
    """Return the indices of the pieces to keep, ascending."""
    served = tuple(scripts)
    known: dict[str, bool] = {}
    kept = []
    for index, piece in enumerate(pieces):
        if index < SPECIALS or all(_is_served(char, served, known) for char in piece):
            kept.append(index)
    return kept


def _is_served(char: str, scripts: tuple[str, ...], known: dict[str, bool]) -> bool:
    if char not in known:
        # Unicode names begin with the script; for what is not a letter, the script does not matter
        # below U+3000, and beyond are the CJK marks and presentation forms.
        name = unicodedata.name(char, "")
        is_letter = unicodedata.category(char)[0] in "LM"
        generic = name.startswith(("COMBINING", "MODIFIER LETTER"))
        emoji = ord(char) >= 0x1F000
        known[char] = (
            generic or name.startswith(scripts) if is_letter else ord(char) < 0x3000 or emoji
        )
    return known[char]
