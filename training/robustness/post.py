"""What platforms and desks put around the words: emoji, hashtags, a by-line."""

import random
import re

EMOJI_SHARE = 0.08
"""Of the spaces between words, beside the two that every text gets."""
HASHTAG_SHARE = 0.2
"""Of the words of five letters and more."""

_EMOJI = "❗🔥👀🤔😂😡👇🙏⚡🚨💬🌍📌✅🤷😱"
_TAGS = {"latin": ["#news", "#world", "#politics"], "cyrillic": ["#новости", "#мир", "#политика"]}
_CITIES = {"latin": ["GENEVA", "OTTAWA", "DAKAR"], "cyrillic": ["ЖЕНЕВА", "ОТТАВА", "ДАКАР"]}
_DESKS = {"latin": ["AP", "Reuters", "AFP"], "cyrillic": ["АП", "Рейтер", "АФП"]}
_LONG_WORD = re.compile(r"(?<![\w#])[^\W\d_]{5,}")
_LETTER = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile("[\u0400-\u052f]")


def emoji(text: str, generator: random.Random) -> str:
    """Put emoji before, behind and between the words."""
    between = re.sub(
        " ",
        lambda _: f" {generator.choice(_EMOJI)} " if generator.random() < EMOJI_SHARE else " ",
        text,
    )
    return f"{generator.choice(_EMOJI)} {between} {generator.choice(_EMOJI)}"


def hashtags(text: str, generator: random.Random) -> str:
    """Make hashtags of some words, and add two that say nothing."""
    tagged = _LONG_WORD.sub(
        lambda word: f"#{word[0]}" if generator.random() < HASHTAG_SHARE else word[0], text
    )
    return " ".join([tagged, *generator.sample(_TAGS[_script(text)], 2)])


def byline(text: str, generator: random.Random) -> str:
    """Put place, date and agency before the text, in its script."""
    script = _script(text)
    place, desk = generator.choice(_CITIES[script]), generator.choice(_DESKS[script])
    day, month, year = (generator.randint(*span) for span in ((1, 28), (1, 12), (2010, 2026)))
    return f"{place}, {day:02}.{month:02}.{year} ({desk}) — {text}"


def _script(text: str) -> str:
    cyrillic = len(_CYRILLIC.findall(text))
    return "cyrillic" if 2 * cyrillic > len(_LETTER.findall(text)) else "latin"
