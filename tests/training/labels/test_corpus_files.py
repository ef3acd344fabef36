"""The committed labels keep what the project promises of them."""

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from training import taxonomy as taxonomies
from training.corpus import SPLIT
from training.labels import records, sources, split, stats
from training.labels.groups import CASE
from training.labels.records import Record, StandOff, Written
from training.taxonomy import Taxonomy

LABELS = Path(__file__).parents[3] / "data" / "labels"


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return taxonomies.load(LABELS / "taxonomy.yaml")


@pytest.fixture(scope="module")
def corpus(taxonomy: Taxonomy) -> list[Record]:
    return records.check(LABELS, taxonomy)[0]


@pytest.fixture(scope="module")
def sides() -> split.Split:
    return split.read(LABELS / SPLIT)


@pytest.fixture(scope="module")
def counts(corpus: list[Record], taxonomy: Taxonomy) -> stats.Statistics:
    return stats.count(corpus, taxonomy)


def torn(ties: Iterable[tuple[str, Record]], sides: split.Split) -> dict[str, list[str]]:
    """Ties whose records stand on more than one side."""
    tied: dict[str, list[Record]] = defaultdict(list)
    for tie, record in ties:
        tied[tie].append(record)
    assert any(len(members) > 1 for members in tied.values())
    return {
        tie: [record.key for record in members]
        for tie, members in tied.items()
        if len({sides[record.key] for record in members}) > 1
    }


def test_every_record_holds(taxonomy: Taxonomy) -> None:
    assert records.check(LABELS, taxonomy)[1] == []


def test_records_stand_where_their_kind_belongs(taxonomy: Taxonomy) -> None:
    for name, kind in (("written", Written), ("stand-off", StandOff)):
        assert all(isinstance(record, kind) for record in records.read(LABELS / name, taxonomy))


def test_every_record_stands_on_a_side(corpus: list[Record], sides: split.Split) -> None:
    assert [record.key for record in corpus if record.key not in sides] == []


def test_the_split_names_nothing_else(corpus: list[Record], sides: split.Split) -> None:
    assert set(sides) - {record.key for record in corpus} == set()
    assert set(sides.values()) == set(split.SHARES)


def test_no_record_stands_on_two_sides() -> None:
    listed = json.loads((LABELS / SPLIT).read_text(encoding="utf-8"))
    keys = Counter(key for side in listed.values() for key in side)
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_group_is_torn_among_the_texts_that_are_here(
    corpus: list[Record], sides: split.Split
) -> None:
    here = sources.resolve(corpus, None).passages
    assert len(here) > 1000
    assert split.leaks(here, sides) == []


def test_no_group_is_torn_among_all_texts_where_the_sources_are_here(
    corpus: list[Record], sides: split.Split
) -> None:
    folder = Path(os.environ.get("NARRASCOPE_SOURCES", LABELS.parents[2] / "shared" / "data"))
    resolved = sources.resolve(corpus, folder)
    if resolved.without_source:
        pytest.skip(f"{len(resolved.without_source)} records have no text without their sources")
    assert resolved.changed == []
    assert split.leaks(resolved.passages, sides) == []


@pytest.mark.parametrize("side", ["dev", "test"])
def test_a_leak_into_the_committed_split_would_be_seen(
    corpus: list[Record], sides: split.Split, side: str
) -> None:
    trained = next(
        record
        for record in corpus
        if isinstance(record, Written) and record.set is None and sides[record.key] == "train"
    )
    # A near-duplicate under another id: what MinHash is there for.
    text = trained.text.upper() + "!"
    copy = trained.model_copy(update={"id": "copy", "text": text})
    passages = sources.resolve([*corpus, copy], None).passages
    (leak,) = split.leaks(passages, {**sides, copy.key: side})
    assert trained.key in leak
    assert copy.key in leak


def test_a_case_torn_apart_would_be_seen_without_any_text(
    corpus: list[Record], sides: split.Split
) -> None:
    cases = defaultdict(list)
    for record in corpus:
        if case := CASE.match(record.id):
            cases[case[1]].append(record)
    case, members = next(item for item in cases.items() if len(item[1]) > 1)
    moved = "test" if sides[members[0].key] == "train" else "train"
    ties = ((case, record) for record in members)
    assert set(torn(ties, {**sides, members[0].key: moved})) == {case}


def test_no_written_text_of_dev_or_test_is_trained_on(
    corpus: list[Record], sides: split.Split
) -> None:
    def folded(record: Written) -> str:
        return " ".join(re.findall(r"\w+", record.text.casefold()))

    texts = [(folded(record), record) for record in corpus if isinstance(record, Written)]
    trained = {text for text, record in texts if sides[record.key] == "train"}
    held_out = [(text, record) for text, record in texts if sides[record.key] != "train"]
    assert trained
    assert held_out
    assert [record.key for text, record in held_out if text in trained] == []


def test_no_real_text_of_dev_or_test_is_trained_on(
    corpus: list[Record], sides: split.Split
) -> None:
    real = [record for record in corpus if isinstance(record, StandOff)]
    trained = {record.sha256 for record in real if sides[record.key] == "train"}
    held_out = [record for record in real if sides[record.key] != "train"]
    assert [record.key for record in held_out if record.sha256 in trained] == []


def test_no_case_is_torn(corpus: list[Record], sides: split.Split) -> None:
    assert torn(((case[1], r) for r in corpus if (case := CASE.match(r.id))), sides) == {}


def test_no_minimal_set_is_torn(corpus: list[Record], sides: split.Split) -> None:
    sets = ((r.set, r) for r in corpus if isinstance(r, Written) and r.set)
    assert torn(sets, sides) == {}


@pytest.mark.parametrize("side", list(split.SHARES))
def test_every_side_holds_every_narrative_in_every_stance(
    corpus: list[Record], sides: split.Split, taxonomy: Taxonomy, side: str
) -> None:
    held = {
        pair for record in corpus if sides[record.key] == side for pair in record.labels.items()
    }
    expected = {(n, s) for n in taxonomy.narrative_ids for s in taxonomy.stance_ids}
    assert expected - held == set()


def test_there_are_at_least_3000_records(counts: stats.Statistics) -> None:
    assert counts.total >= 3000


def test_at_least_2000_records_are_of_real_text(counts: stats.Statistics) -> None:
    assert counts.real >= 2000


def test_at_least_a_third_carries_no_narrative(counts: stats.Statistics) -> None:
    assert counts.none >= counts.total / 3


@pytest.mark.parametrize("lang", ["uk", "kk"])
def test_a_language_of_the_product_has_more_than_400_records(
    counts: stats.Statistics, lang: str
) -> None:
    assert sum(counts.by_language[lang].values()) > 400


def test_every_narrative_has_10_records_in_every_stance(counts: stats.Statistics) -> None:
    few = {
        f"{narrative} {stance}": count
        for narrative, stances in counts.by_narrative.items()
        for stance, count in stances.items()
        if count < 10
    }
    assert few == {}
