"""Changes of letters and marks: case, punctuation, quotation marks, typos."""

import random
import re
import unicodedata

TYPO_SHARE = 0.15
"""Of the words that are long enough to stay readable."""

_QUOTES = re.compile("[\"«»“”„‟‹›]|(?<!\\w)['‘’‚]|['‘’‚](?!\\w)")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")


def lower(text: str, generator: random.Random) -> str:
    """Write all letters small."""
    del generator
    return text.lower()


def upper(text: str, generator: random.Random) -> str:
    """Write all letters large."""
    del generator
    return text.upper()


def without_punctuation(text: str, generator: random.Random) -> str:
    """Leave out all marks but those inside words (don't, п'ять, Алма-Ата)."""
    del generator
    kept = [
        char
        if not unicodedata.category(char).startswith("P") or _inside_a_word(text, index)
        else " "
        for index, char in enumerate(text)
    ]
    return _single_spaced("".join(kept))


def without_quotation_marks(text: str, generator: random.Random) -> str:
    """Leave out quotation marks; apostrophes inside words stay."""
    del generator
    return _single_spaced(_QUOTES.sub("", text))


def typos(text: str, generator: random.Random) -> str:
    """Drop, double or exchange letters inside some words of four letters and more."""

    def mistype(match: re.Match[str]) -> str:
        word = match[0]
        if generator.random() >= TYPO_SHARE:
            return word
        at = generator.randrange(1, len(word) - 1)
        one, two = word[at], word[at + 1]
        slip = generator.choice(["", one + one + two, two + one])
        return word[:at] + (slip or two) + word[at + 2 :]

    return _LONG_WORD.sub(mistype, text)


def _inside_a_word(text: str, index: int) -> bool:
    return (
        text[index] in "-'’ʼ‑"
        and text[index - 1 : index].isalnum()
        and text[index + 1 :][:1].isalnum()
    )


def _single_spaced(text: str) -> str:
    return re.sub(r"[^\S\n]+", " ", text).strip() or text
