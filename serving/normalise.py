"""Normalises text before the model reads it, and keeps the way back to the original.

Three things are undone that hide words from a classifier and from nobody else: compatibility forms
(NFKC: full-width letters, ligatures), characters without width (zero-width, bidirectional controls,
soft hyphens, variation selectors, tags), and look-alikes of another script inside a word.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that take no room on the page: Unicode's Default_Ignorable_Code_Point and kin."""

MARKS = 8
"""More marks than this on one letter carry no language; the others are dropped.

It also bounds the work: reordering marks costs the square of their number.
"""

_LATIN_CYRILLIC = {
    **dict(zip("AaBCcEeHhIiJjKMOoPpSsTXxYy", "АаВСсЕеНһІіЈјКМОоРрЅѕТХхУу", strict=True)),
    **dict(zip("ÄäËëÏïÖöÇ", "ӒӓЁёЇїӦӧҪ", strict=True)),
}
_LATIN_GREEK = dict(zip("ABEZHIKMNOoPTYXvi", "ΑΒΕΖΗΙΚΜΝΟοΡΤΥΧνι", strict=True))
_CYRILLIC_GREEK = {
    cyrillic: _LATIN_GREEK[latin]
    for latin, cyrillic in _LATIN_CYRILLIC.items()
    if latin in _LATIN_GREEK
}
_TWINS: dict[tuple[str, str], dict[str, str]] = {}
for _one, _other, _pairs in (
    ("LATIN", "CYRILLIC", _LATIN_CYRILLIC),
    ("LATIN", "GREEK", _LATIN_GREEK),
    ("CYRILLIC", "GREEK", _CYRILLIC_GREEK),
):
    _TWINS[_one, _other] = _pairs
    _TWINS[_other, _one] = {twin: char for char, twin in _pairs.items()}

_NEUTRAL = "MODIFIER"
_LETTERS = re.compile(r"[^\W\d_]+")
_SCRIPTS = (
    re.compile("[A-Za-z\u00c0-\u024f]"),
    re.compile("[\u0370-\u03ff]"),
    re.compile("[\u0400-\u052f]"),
)


@dataclass(frozen=True)
class Normalised:
    """Normalised `text`; character i stands for the original's `origins[i]` to `origins[i + 1]`.

    `origins` has one entry more than the text has characters: the original's length. It is None if
    nothing was changed.
    """

    text: str
    origins: "array[int] | None"  # subscripted at run time only from Python 3.12 on

    def original(self, begin: int, end: int) -> tuple[int, int]:
        """Turn offsets into the normalised text into offsets (code points) into the original."""
        if self.origins is None:
            return begin, end
        first = self.origins[begin]
        # A character that came out of the same original one as its neighbour is not cut in two.
        last = max(self.origins[end], self.origins[end - 1] + 1) if end > begin else first
        return first, last


def normalise(text: str) -> Normalised:
    """Return the text as the model reads it, of any length, in time linear in it."""
    if text.isascii():
        return Normalised(text, None)
    changed = _marks_exceed(text) or INVISIBLE.search(text) is not None
    if not changed and unicodedata.is_normalized("NFKC", text):
        return Normalised(_fold_lookalikes(text), None)
    plain, origins = _compose(text)
    return Normalised(_fold_lookalikes(plain), origins)


def _marks_exceed(text: str) -> bool:
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run > MARKS:
            return True
    return False


def _compose(text: str) -> "tuple[str, array[int]]":
    chars: list[str] = []
    origins = array("I")
    for begin, cluster in _clusters(text):
        composed = unicodedata.normalize("NFKC", cluster)
        chars.append(composed)
        origins.extend([begin] * len(composed))
    origins.append(len(text))
    return "".join(chars), origins


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Yield each base character with its marks and where it begins; invisible ones are left out."""
    begin, cluster, marks = 0, "", 0
    for index, char in enumerate(text):
        if INVISIBLE.match(char):
            continue
        if cluster and _joins(char):
            marks += 1
            if marks <= MARKS:
                cluster += char
            continue
        if cluster:
            yield begin, cluster
        begin, cluster, marks = index, char, 0
    if cluster:
        yield begin, cluster


def _joins(char: str) -> bool:
    """Whether a character composes with the one before: a mark, a Hangul vowel or tail.

    Looked up in its decomposition, since half-width and compatibility forms compose as well.
    """
    first = unicodedata.normalize("NFKD", char)[0]
    return unicodedata.category(first)[0] == "M" or "\u1161" <= first <= "\u11ff"


def _fold_lookalikes(text: str) -> str:
    """Write the words of two scripts in the one that most of their letters belong to.

    Only inside such a word, and only if each of its strangers has a twin: «Рocсия» with a Latin o
    is folded, «COVIDом» and «IT-компания» are not. Lengths do not change.
    """
    if not _is_mixed(text):
        return text
    return _LETTERS.sub(lambda word: _fold_word(word[0]), text)


def _is_mixed(text: str) -> bool:
    return sum(script.search(text) is not None for script in _SCRIPTS) > 1


def _fold_word(word: str) -> str:
    if not _is_mixed(word):
        return word
    scripts = [_script(char) for char in word]
    # Ties go to the script of the earlier letter, the same on every machine.
    for script in sorted(dict.fromkeys(scripts), key=scripts.count, reverse=True):
        if script == _NEUTRAL:
            continue
        folded = [
            char if own in (script, _NEUTRAL) else _TWINS.get((own, script), {}).get(char, "")
            for char, own in zip(word, scripts, strict=True)
        ]
        if all(folded):
            return "".join(folded)
    return word


def _script(char: str) -> str:
    name = unicodedata.name(char, "?").split(" ")[0]
    # Letters of no script of their own, such as the apostrophe of Ukrainian, belong to any word.
    return _NEUTRAL if name == "MODIFIER" else name
