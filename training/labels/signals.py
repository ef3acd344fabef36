"""Wrong signals: what a model might read instead of what a passage says.

Each function returns a matrix of (passages, features). None of them sees what is claimed: not the
surface (length, punctuation, digits, quotes), not language, source, register or annotator, and the
names of actors only in so far as a narrative is told by who is named. Single words see more; beside
them one can tell how much of a task is done by vocabulary alone.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer

from training.labels.records import Written
from training.labels.sources import Passage

MARKS = ".,;:!?…\"'«»“”„‘’()[]-–—/%#@*\n"
WORD = r"[^\W\d_][\w'’ʼ-]+"
FEWEST = 10
"""Passages that a word must stand in."""
CAPITALISED = 0.9
"""Share of a word's places inside sentences in which it must be capitalised to be a name."""
NOUNS_CAPITALISED = {"de"}
"""Languages in which a capital letter makes no name."""


def surface(passages: Sequence[Passage]) -> csr_matrix:
    """Length, punctuation, digits, quotes and capitals."""
    return csr_matrix(np.array([_surface(passage.text) for passage in passages], np.float64))


def _surface(text: str) -> list[float]:
    letters, words = max(1, len(text)), text.split()
    counts = Counter(text)
    return [
        np.log(letters),
        np.log(max(1, len(words))),
        letters / max(1, len(words)),
        sum(c.isdigit() for c in text) / letters,
        sum(c.isupper() for c in text) / letters,
        sum(word.isupper() for word in words),
        sum(c.isdigit() for c in text[:20]),
        *(min(counts[mark], 5) for mark in MARKS),
        float(text.rstrip()[-1:] in ".!?…"),
    ]


def language(passages: Sequence[Passage]) -> csr_matrix:
    """The language."""
    return _categories({"lang": passage.lang} for passage in passages)


def provenance(passages: Sequence[Passage]) -> csr_matrix:
    """Real or written, the source, and the register of what is written."""
    return _categories(
        {
            "source": passage.source,
            "register": passage.record.register_ if isinstance(passage.record, Written) else "-",
        }
        for passage in passages
    )


def annotator(passages: Sequence[Passage]) -> csr_matrix:
    """Who decided."""
    return _categories({"annotator": passage.record.annotator} for passage in passages)


def _categories(rows: Iterable[dict[str, str]]) -> csr_matrix:
    return csr_matrix(DictVectorizer().fit_transform(rows))


def words(passages: Sequence[Passage]) -> tuple[csr_matrix, list[str]]:
    """Return which words a passage has, and the words."""
    documents = Counter(
        word for passage in passages for word in set(re.findall(WORD, passage.text.lower()))
    )
    return _having(passages, [word for word, count in documents.items() if count >= FEWEST])


def names(passages: Sequence[Passage]) -> tuple[csr_matrix, list[str]]:
    """Return which names of actors a passage has, and the names.

    No list of actors would hold in twenty languages. A name is a word that is capitalised in nearly
    all places where it does not begin a sentence; texts without capitals (and scripts that have
    none, such as Georgian) tell nothing and are passed over, and so is German.
    """
    capitals: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for passage in passages:
        if passage.lang in NOUNS_CAPITALISED or passage.text.islower():
            continue
        for found in re.finditer(WORD, passage.text):
            before = passage.text[: found.start()].rstrip(" \t\"'«“„(")
            if before and before[-1] not in ".!?…:\n–—•|" and _cased(found[0]):
                places[found[0].lower()] += 1
                capitals[found[0].lower()] += found[0][0].isupper()
    return _having(
        passages,
        [
            word
            for word, count in places.items()
            if count >= FEWEST and capitals[word] >= CAPITALISED * count
        ],
    )


def _cased(word: str) -> bool:
    return unicodedata.category(word[0]) in ("Lu", "Ll")


def _having(passages: Sequence[Passage], vocabulary: list[str]) -> tuple[csr_matrix, list[str]]:
    vocabulary.sort()
    if not vocabulary:
        return csr_matrix((len(passages), 0)), []
    counter = CountVectorizer(token_pattern=WORD, binary=True, vocabulary=vocabulary)
    found = counter.transform(passage.text for passage in passages)
    return csr_matrix(found, dtype=np.float64), vocabulary
