"""Changes of wording: actors exchanged, sentences in another order."""

import random
import re
from functools import cache
from pathlib import Path

import yaml

ACTORS = Path(__file__).with_name("actors.yaml")

_SENTENCE_END = re.compile(r"(?<=[.!?…])[»”\")]*\s+(?=[^\s\da-zа-яёіїєґәғқңөұүһ])")


def actors_swapped(text: str, generator: random.Random) -> str:
    """Exchange countries, capitals and peoples for others of their kind, endings kept.

    Actors are no evidence by the annotation guide: any power can claim, any state be the target.
    A name is exchanged for the same other one throughout a text. Endings of English, Russian,
    Ukrainian and Kazakh are known (`actors.yaml`); names in other languages stay.
    """
    classes, pattern = _names()
    turns = [generator.randrange(1, len(stems)) for stems in classes]

    def swap(match: re.Match[str]) -> str:
        number = int(str(match.lastgroup)[1:])
        stem = match[f"_{number}"]
        stems = classes[number]
        at = [other.lower() for other in stems].index(stem.lower())
        return _cased(stems[(at + turns[number]) % len(stems)], stem) + match[0][len(stem) :]

    # All classes in one pass: what one has exchanged, another must not exchange back.
    return pattern.sub(swap, text)


def sentences_shuffled(text: str, generator: random.Random) -> str:
    """Put the sentences in another order; a text of one sentence stays."""
    sentences = [part for part in _cut(text) if part]
    if len(sentences) < 2:
        return text
    # A turn and not a shuffle: it never gives back the order that was there.
    turn = generator.randrange(1, len(sentences))
    return " ".join(sentences[turn:] + sentences[:turn])


def _cut(text: str) -> list[str]:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [text[a:b].strip() for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


@cache
def _names() -> tuple[list[list[str]], re.Pattern[str]]:
    """Return the stems of all classes, and a pattern whose group `_n` is a stem of class n."""
    entries = yaml.safe_load(ACTORS.read_text(encoding="utf-8"))
    classes = [[str(stem) for stem in entry["stems"]] for entry in entries]
    parts = [
        rf"(?P<_{number}>{'|'.join(stems)})(?:{'|'.join(entry['endings'])})\b"
        for number, (stems, entry) in enumerate(zip(classes, entries, strict=True))
    ]
    return classes, re.compile(rf"\b(?:{'|'.join(parts)})", re.IGNORECASE)


def _cased(name: str, like: str) -> str:
    if like.isupper():
        return name.upper()
    return name if like[0].isupper() else name.lower()
