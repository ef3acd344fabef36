"""The classifier: text in, predictions out. What is evaluated is this, and what is served too."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from serving.decisions import Array, Decisions
from serving.embeddings import EmbeddingTable
from serving.engine import Engine, Scores
from serving.errors import ModelFolderError, TextError
from serving.language import Language, LanguageDetector
from serving.model_folder import EMBEDDINGS, NETWORK, TOKENIZER, Manifest, open_folder
from serving.normalise import Normalised, normalise
from serving.passages import Span, split
from serving.predictions import Caution, Finding, Prediction
from serving.tokens import Tokens

LONGEST = 100_000
"""Code points that a text may have: a book chapter, and a bound on the work of one call."""
LONGEST_ID = 256


@dataclass(frozen=True)
class Item:
    """A text to be labelled, with the caller's id."""

    text: str
    id: str | None = None


@dataclass(frozen=True)
class Reading:
    """A text cut into passages, with the probabilities of each.

    `narratives` has the shape (passages, narratives), `stances` (passages, narratives, stances);
    `spans` are code points of the text as given.
    """

    language: Language
    spans: list[Span]
    narratives: Array
    stances: Array


class Scorer(Protocol):
    """What scores token ids: the engine, or the network that it was exported from."""

    def score(self, ids: Sequence[Sequence[int]]) -> Scores:
        """Score passages, given as token ids."""


@dataclass(frozen=True)
class Prepared:
    """A text cut into passages; `ids` has the tokens of each, `spans` its place when normalised."""

    language: Language
    normalised: Normalised
    spans: list[Span]
    ids: list[list[int]]


class Classifier:
    """A loaded model folder."""

    def __init__(
        self, manifest: Manifest, tokens: Tokens, engine: Scorer, detector: LanguageDetector
    ) -> None:
        """Join the parts of a model; most callers want `load`."""
        self.manifest = manifest
        self.narratives = [label.id for label in manifest.narratives]
        self.stances = [label.id for label in manifest.stances]
        self._tokens = tokens
        self._engine = engine
        self._detector = detector
        self._decisions = Decisions(manifest)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 0) -> Self:
        """Load a released folder; `threads` 0 takes all cores.

        Raises:
            ModelFolderError: the folder is not as it was released.
        """
        manifest = open_folder(folder)
        reading = manifest.reading
        tokens = Tokens(folder / TOKENIZER, prefix=reading.prefix, limit=reading.tokens)
        table = EmbeddingTable.load(folder / EMBEDDINGS)
        engine = Engine(folder / NETWORK, table, threads=threads)
        if (engine.narratives, engine.stances) != (len(manifest.narratives), len(manifest.stances)):
            raise ModelFolderError(
                f"{folder}: the manifest names {len(manifest.narratives)} narratives and "
                f"{len(manifest.stances)} stances, the network tells {engine.narratives} and "
                f"{engine.stances}: copy the whole released folder again."
            )
        return cls(manifest, tokens, engine, LanguageDetector())

    def predict(self, items: Sequence[Item], *, scores: bool = False) -> list[Prediction]:
        """Label texts, in order.

        Raises:
            TextError: one of the texts cannot be classified (see `check_text`).
        """
        for item in items:
            check_text(item.text)
        return [
            self.prediction(item, reading, scores=scores)
            for item, reading in zip(items, self.read([item.text for item in items]), strict=True)
        ]

    def language(self, text: str) -> str:
        """Return the code of a text's language, as a prediction has it, without reading it."""
        return self._detector.detect(normalise(text).text).code

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Cut texts into passages and return each passage's probabilities, before any decision."""
        if not texts:
            return []
        prepared = self.prepare(texts)
        raw = self.score([ids for p in prepared for ids in p.ids])
        readings, at = [], 0
        for p in prepared:
            upto = at + len(p.ids)
            readings.append(self.reading(p, Scores(raw.narratives[at:upto], raw.stances[at:upto])))
            at = upto
        return readings

    def weigh(self, passages: Sequence[str]) -> Array:
        """Return P(narrative) of normalised passages as they are, shape (passages, narratives)."""
        return self.weights(self.score(self.encode(passages)))

    def encode(self, passages: Sequence[str]) -> list[list[int]]:
        """Return the token ids of normalised passages as they are."""
        return self._tokens.encode(passages)

    def weights(self, scores: Scores) -> Array:
        """Return P(narrative) of raw scores, shape (passages, narratives)."""
        return self._decisions.probabilities(scores)[0]

    def prepare(self, texts: Sequence[str]) -> list[Prepared]:
        """Cut texts into passages of token ids: all that comes before the network."""
        cut = [self._cut(text) for text in texts]
        passages = [plain.text[s.begin : s.end] for _, plain, spans in cut for s in spans]
        ids = iter(self._tokens.encode(passages))
        return [
            Prepared(language, plain, spans, [next(ids) for _ in spans])
            for language, plain, spans in cut
        ]

    def score(self, ids: Sequence[Sequence[int]]) -> Scores:
        """Run passages, given as token ids, through the network."""
        return self._engine.score(ids)

    def reading(self, prepared: Prepared, scores: Scores) -> Reading:
        """Return the probabilities of a text, out of its passages' raw scores."""
        narratives, stances = self._decisions.probabilities(scores)
        original = prepared.normalised.original
        spans = [Span(*original(span.begin, span.end)) for span in prepared.spans]
        return Reading(prepared.language, spans, narratives, stances)

    def _cut(self, text: str) -> tuple[Language, Normalised, list[Span]]:
        normalised = normalise(text)
        language = self._detector.detect(normalised.text)
        spans = split(
            normalised.text,
            language.code,
            count=self._tokens.count,
            limit=self._tokens.room,
        )
        # What has no visible text left is still answered for, as one passage.
        return language, normalised, spans or [Span(0, len(normalised.text))]

    def prediction(self, item: Item, reading: Reading, *, scores: bool = False) -> Prediction:
        """Decide what a reading says of a text."""
        findings = [
            self._finding(reading, passage, narrative)
            for passage, narrative in np.argwhere(reading.narratives >= self._decisions.review)
        ]
        findings.sort(key=lambda finding: (-finding.confidence, finding.begin))
        highest = reading.narratives.max(0)
        return Prediction(
            id=item.id,
            language=reading.language.code,
            narratives=findings,
            scores=_named(self.narratives, highest) if scores else None,
            warnings=self._warnings(reading.language) or None,
            model=self.manifest.name,
        )

    def _finding(self, reading: Reading, passage: int, narrative: int) -> Finding:
        confidence = float(reading.narratives[passage, narrative])
        stances = reading.stances[passage, narrative]
        stance = int(stances.argmax())
        sureness = float(stances[stance])
        span = reading.spans[passage]
        return Finding(
            narrative=self.narratives[narrative],
            confidence=_rounded(confidence),
            decision=self._decisions.decide(narrative, confidence, stance, sureness),
            stance=self.stances[stance],
            stance_confidence=_rounded(sureness),
            begin=span.begin,
            end=span.end,
        )

    def _warnings(self, language: Language) -> list[Caution]:
        if not language.sure:
            detail = (
                "The language could not be told with certainty; read the confidences with care."
            )
            return [Caution(code="unsure-language", detail=detail)]
        if language.code not in self.manifest.languages:
            detail = (
                f"The model was not trained on the language {language.code!r}; "
                f"it knows {', '.join(sorted(self.manifest.languages))}."
            )
            return [Caution(code="unsupported-language", detail=detail)]
        return []


def check_text(text: str, *, longest: int = LONGEST) -> None:
    """Refuse what cannot be classified.

    Raises:
        TextError: the text is empty, too long, or not text; names the rule.
    """
    if len(text) > longest:
        raise TextError(
            f"The text has {len(text)} code points; at most {longest} are taken: split it.",
            limit="text-length",
        )
    if not text.strip():
        raise TextError("The text is empty: send at least one word.", limit="text-empty")
    if "\0" in text:
        raise TextError(
            f"The text has a NUL character at code point {text.index(chr(0))}: remove it.",
            limit="text-nul",
        )
    _check_encodes("text", text)


def check_id(identifier: str) -> None:
    """Refuse an id that could not be given back.

    Raises:
        TextError: the id is too long or not text; names the rule.
    """
    if len(identifier) > LONGEST_ID:
        raise TextError(
            f"The id has {len(identifier)} code points; at most {LONGEST_ID} are taken.",
            limit="id-length",
        )
    _check_encodes("id", identifier)


def _check_encodes(what: str, value: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TextError(
            f"The {what} has half a surrogate pair at code point {error.start}: "
            "send whole characters.",
            limit=f"{what}-surrogate",
        ) from error


def _named(names: list[str], values: Array) -> dict[str, float]:
    return {name: _rounded(float(value)) for name, value in zip(names, values, strict=True)}


def _rounded(probability: float) -> float:
    return round(probability, 4)
