"""Splits a text of any length into passages: the unit that is labelled.

A passage is a run of whole sentences: at most as many tokens as the model reads, and at most
`SENTENCES` sentences, unless they are so short that all of them are no passage yet. Short
paragraphs (a headline, a by-line, a post's first line) stay with what follows them; a paragraph
that can stand alone ends its passage.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sentencex

SENTENCES = 5
STANDS_ALONE = 48
"""A passage of this many tokens ends where its paragraph ends."""
WINDOW = 4096
"""Code points that the splitter sees at a time.

Its work grows with the square of what it is given, and it lets no other thread run meanwhile:
100,000 quotation marks in one paragraph would hold up a whole service for half a minute.
"""

_FALLBACK = "en"
_WORD_END = re.compile(r"\s\S*$")
_WIDE_SPACE = re.compile(r"[^\S\n ]")

Count = Callable[[Sequence[str]], list[int]]
"""Counts the tokens of texts."""


@dataclass(frozen=True)
class Span:
    """Code points `begin` to `end` (exclusive) of a text."""

    begin: int
    end: int


def split(text: str, language: str, *, count: Count, limit: int) -> list[Span]:
    """Return the passages of `text` in order, without white space at either end.

    Args:
        text: any text; one of white space alone has no passage.
        language: ISO 639-1; its rules for abbreviations and quotation marks apply.
        count: the model's token counter.
        limit: tokens that a passage may have.
    """
    sentences = list(_sentences(text, language))
    if not sentences:
        return []
    tokens = count([text[s.begin : s.end] for s in sentences])
    pieces = [
        piece
        for sentence, length in zip(sentences, tokens, strict=True)
        for piece in _cut(text, sentence, length, count=count, limit=limit)
    ]
    return list(_pack(text, pieces, limit))


def _sentences(text: str, language: str) -> Iterator[Span]:
    for paragraph in re.finditer(r"[^\n]+", text):
        for begin, end in _windowed(paragraph[0], language):
            sentence = _stripped(text, paragraph.start() + begin, paragraph.start() + end)
            if sentence.end > sentence.begin:
                yield sentence


def _windowed(paragraph: str, language: str) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(paragraph):
        window = paragraph[at : at + WINDOW]
        found = [
            (begin := each["start_index"], begin + len(each["text"]))
            for each in _boundaries(window, language)
        ]
        done = len(window)
        # The last sentence may go on beyond the window: it is looked at again, from its beginning.
        if at + done < len(paragraph) and len(found) > 1 and found[-1][0] >= WINDOW // 2:
            done = found.pop()[0]
        for begin, end in found:
            yield at + begin, at + end
        at += done


def _boundaries(paragraph: str, language: str) -> list[dict[str, Any]]:
    # sentencex 1.0 panics on white space of several bytes before a full stop; a plain space of the
    # same length in code points says the same to it.
    plain = _WIDE_SPACE.sub(" ", paragraph)
    for code in (language, _FALLBACK):
        try:
            found: list[dict[str, Any]] = sentencex.get_sentence_boundaries(code, plain)
        except (KeyError, ValueError):
            continue
        except BaseException as error:
            # A panic of the library is no Exception; one text must not end the service.
            if type(error).__name__ != "PanicException":
                raise
            continue
        return found
    return [{"text": plain, "start_index": 0}]


def _cut(
    text: str, sentence: Span, tokens: int, *, count: Count, limit: int
) -> Iterator[tuple[Span, int]]:
    """Yield a sentence whole, or halved at white space until each part fits."""
    if tokens <= limit or sentence.end - sentence.begin < 2:
        yield sentence, tokens
        return
    middle = (sentence.begin + sentence.end) // 2
    if space := _WORD_END.search(text, sentence.begin, middle):
        middle = space.start() + 1
    halves = [_stripped(text, sentence.begin, middle), _stripped(text, middle, sentence.end)]
    halves = [half for half in halves if half.end > half.begin]
    for half, length in zip(halves, count([text[h.begin : h.end] for h in halves]), strict=True):
        yield from _cut(text, half, length, count=count, limit=limit)


def _stripped(text: str, begin: int, end: int) -> Span:
    body = text[begin:end]
    return Span(begin + len(body) - len(body.lstrip()), begin + len(body.rstrip()))


def _pack(text: str, pieces: list[tuple[Span, int]], limit: int) -> Iterator[Span]:
    run: list[Span] = []
    tokens = 0
    for piece, length in pieces:
        ends = len(run) >= SENTENCES or (bool(run) and "\n" in text[run[-1].end : piece.begin])
        if run and (tokens + length > limit or (tokens >= STANDS_ALONE and ends)):
            yield Span(run[0].begin, run[-1].end)
            run, tokens = [], 0
        run.append(piece)
        tokens += length
    if run:
        yield Span(run[0].begin, run[-1].end)
