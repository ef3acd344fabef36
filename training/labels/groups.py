"""Groups: passages that must stay on one side of a split.

What belongs together: a claim and its disproof, claims of one article or under one title,
translations of one another, passages of one document or speech or of a common row, the members of
a minimal set, and near-duplicates (MinHash over character 5-grams; Broder 1997), also where one is
the cut beginning of the other. Groups are the connected components of these ties.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from datasketch import MinHash, MinHashLSH

from training.labels.records import Record, Written
from training.labels.sources import Passage, Row

CASE = re.compile(r"^(euvs-\d+)-")
SITE_ROWS = 40
"""An address that more labelled passages share is a site, not a document."""
BEGINNING = 60
SHORTEST_BEGINNING = 25
"""Code points of two beginnings that are compared, and that the shorter must have."""
SHINGLE = 5
SIMILARITY = 0.5
PERMUTATIONS = 64


def assign(passages: Sequence[Passage]) -> list[int]:
    """Return a group number for every passage; equal numbers must not be separated."""
    parents = list(range(len(passages)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    ties = (*_same_origin(passages), *_same_beginning(passages), *_near_duplicates(passages))
    for one, other in ties:
        parents[root(one)] = root(other)
    return [root(index) for index in range(len(passages))]


def _same_origin(passages: Sequence[Passage]) -> Iterator[tuple[int, int]]:
    urls = Counter(str(p.row["source_url"]) for p in passages if _given(p.row, "source_url"))
    first: dict[str, int] = {}
    for index, passage in enumerate(passages):
        for tie in _ties(passage, urls):
            yield index, first.setdefault(tie, index)


def _ties(passage: Passage, urls: Counter[str]) -> Iterator[str]:
    row, record = passage.row, passage.record
    if (tie := visible(record)) != record.key:
        yield tie
    for part in row.get("joined", [record.id]):
        yield f"row {passage.source} {part}"
    if _given(row, "parallel_id"):
        yield f"parallel {passage.source} {row['parallel_id']}"
    if _given(row, "url"):
        yield f"article {row['url']}"
    if _given(row, "title"):
        yield f"title {_folded(row['title'])}"
    if _given(row, "source_url"):
        if urls[str(row["source_url"])] <= SITE_ROWS:
            yield f"document {row['source_url']}"
        elif "speaker" in row:
            yield f"speech {passage.source} {row['speaker']} {row.get('date')}"


def visible(record: Record) -> str:
    """Return what ties a record to others as far as one can see without its text, or its key."""
    if isinstance(record, Written) and record.set:
        return f"set {record.set}"
    case = CASE.match(record.id)
    return f"case {case[1]}" if case else record.key


def _given(row: Row, field: str) -> bool:
    # 0 is a number of a sentence; an empty field ties nothing.
    return row.get(field) not in (None, "")


def _same_beginning(passages: Sequence[Passage]) -> Iterator[tuple[int, int]]:
    """Tie a headline to the claims that it cuts short: texts or titles that begin alike."""
    beginnings = sorted(
        (folded[:BEGINNING], index)
        for index, passage in enumerate(passages)
        for folded in {_folded(passage.text), _folded(str(passage.row.get("title") or ""))}
        if len(folded) >= SHORTEST_BEGINNING
    )
    prefixes: list[tuple[str, int]] = []
    for beginning, index in beginnings:
        while prefixes and not beginning.startswith(prefixes[-1][0]):
            prefixes.pop()
        if prefixes:
            yield index, prefixes[-1][1]
        prefixes.append((beginning, index))


def _near_duplicates(passages: Sequence[Passage]) -> Iterator[tuple[int, int]]:
    index = MinHashLSH(threshold=SIMILARITY, num_perm=PERMUTATIONS)
    sketches: dict[int, MinHash] = {}
    for number, passage in enumerate(passages):
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([shingle.encode() for shingle in _shingles(passage.text)])
        for other in index.query(sketch):
            if sketch.jaccard(sketches[int(other)]) >= SIMILARITY:
                yield number, int(other)
        index.insert(str(number), sketch)
        sketches[number] = sketch


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _shingles(text: str) -> set[str]:
    folded = _folded(text)
    return {folded[i : i + SHINGLE] for i in range(max(1, len(folded) - SHINGLE + 1))}
