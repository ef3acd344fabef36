"""Changes of script: look-alike letters, characters without width, Cyrillic in Latin letters.

The look-alikes are a list of their own and not serving's: an attack that is made of the defence
would always be met.
"""

import random
import re

LOOKALIKE_SHARE = 0.3
"""Of the letters that have a twin."""
ZERO_WIDTH_SHARE = 0.2
"""Of the places between two letters."""

_LATIN, _CYRILLIC = "aceopxyiABCEHIKMOPTX", "асеорхуіАВСЕНІКМОРТХ"
_TWINS = dict(zip(_LATIN + _CYRILLIC, _CYRILLIC + _LATIN, strict=True))
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"

_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC_WORD = re.compile("[\u0400-\u052f]+")
_UKRAINIAN = re.compile("[іїєґ]", re.IGNORECASE)
_KAZAKH = re.compile("[әғқңөұүһ]", re.IGNORECASE)

_ROMAN = {
    **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)),
    **{"ё": "yo", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"},
    **{"ъ": "", "ь": "", "ю": "yu", "я": "ya"},
    **{"і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "w"},
    **{"ә": "a", "ғ": "gh", "қ": "q", "ң": "ng", "ө": "o", "ұ": "u", "ү": "u", "һ": "h"},
    **{"ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "ђ": "dj", "џ": "dz"},
}
_UKRAINIAN_ROMAN = {**_ROMAN, "г": "h", "и": "y"}


def lookalikes(text: str, generator: random.Random) -> str:
    """Write some letters with their twins of the other script."""
    return "".join(
        _TWINS[char] if char in _TWINS and generator.random() < LOOKALIKE_SHARE else char
        for char in text
    )


def zero_width(text: str, generator: random.Random) -> str:
    """Put characters that nobody sees inside words."""

    def fill(match: re.Match[str]) -> str:
        filled = [
            letter + (generator.choice(_INVISIBLE) if generator.random() < ZERO_WIDTH_SHARE else "")
            for letter in match[0][:-1]
        ]
        return "".join(filled) + match[0][-1]

    return _WORD.sub(fill, text)


def transliterated(text: str, generator: random.Random) -> str:
    """Write Cyrillic words in Latin letters, as people do who lack the keyboard."""
    del generator
    ukrainian = _UKRAINIAN.search(text) and not _KAZAKH.search(text)
    table = _UKRAINIAN_ROMAN if ukrainian else _ROMAN

    def spell(match: re.Match[str]) -> str:
        word = match[0]
        roman = "".join(table.get(letter, letter) for letter in word.lower())
        if len(word) > 1 and word.isupper():
            return roman.upper()
        return roman[:1].upper() + roman[1:] if word[0].isupper() else roman

    return _CYRILLIC_WORD.sub(spell, text)
