"""Groups: what must not be separated is tied, and nothing else is."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest

from training.labels import groups
from training.labels.records import StandOff, Written
from training.labels.sources import Passage

COMMON = {"lang": "en", "labels": {}, "annotator": "A", "date": "2026-01-01"}


def unlike(name: object) -> str:
    """A text that shares next to nothing with that of another name."""
    return hashlib.sha256(str(name).encode()).hexdigest()


def row(name: str, *, source: str = "speeches", text: str | None = None, **fields: Any) -> Passage:
    about = {"how": "stand-off", "source": source, "sha256": "0" * 64, "picked": "random"}
    record = StandOff.model_validate({"id": name, **about, **COMMON})
    return Passage(
        key=record.key,
        text=text or unlike(record.key),
        lang="en",
        labels={},
        source=source,
        record=record,
        row=fields,
    )


def written(name: str, *, text: str | None = None, set_: str | None = None) -> Passage:
    text = text or unlike(name)
    about = {"how": "written", "text": text, "register": "post", "set": set_}
    record = Written.model_validate({"id": name, **about, **COMMON})
    return Passage(key=record.key, text=text, lang="en", labels={}, source="written", record=record)


def together(passages: Sequence[Passage]) -> list[set[int]]:
    """Positions of the passages that are grouped, a set for each group of several."""
    numbers = groups.assign(passages)
    found = [{i for i, n in enumerate(numbers) if n == number} for number in dict.fromkeys(numbers)]
    return [group for group in found if len(group) > 1]


def test_passages_without_a_tie_stand_alone() -> None:
    passages = [row("1"), row("2"), row("1", source="papers"), written("1"), written("2")]
    assert len(set(groups.assign(passages))) == 5


def test_nothing_has_no_groups() -> None:
    assert groups.assign([]) == []


def test_a_claim_and_its_disproof_are_tied_over_sources() -> None:
    passages = [
        row("euvs-10-summary", source="claims"),
        row("euvs-100-summary", source="claims"),
        row("euvs-10-disproof", source="disproofs"),
        row("euvs-10", source="headlines"),
    ]
    assert together(passages) == [{0, 2}]


def test_a_passage_of_joined_rows_is_tied_to_each_of_its_rows() -> None:
    passages = [
        row("3", source="news"),
        row("1", source="news", joined=["1", "2", "3"]),
        row("3", source="papers"),
        row("4", source="news"),
    ]
    assert together(passages) == [{0, 1}]


def test_translations_of_a_sentence_are_tied_within_their_source() -> None:
    passages = [
        row("uk-7", source="sib200", parallel_id=7),
        row("kk-7", source="sib200", parallel_id=7),
        row("kk-8", source="sib200", parallel_id=8),
        row("7", source="pud", parallel_id=7),
    ]
    assert together(passages) == [{0, 1}]


def test_the_number_0_is_a_number_of_a_sentence() -> None:
    passages = [row(name, source="sib200", parallel_id=0) for name in ("uk-0", "kk-0")]
    assert together(passages) == [{0, 1}]


def test_passages_of_a_document_are_tied() -> None:
    passages = [
        row("1", source_url="https://example.org/1"),
        row("2", source_url="https://example.org/2"),
        row("3", source_url="https://example.org/1", speaker="Ann"),
    ]
    assert together(passages) == [{0, 2}]


def test_an_address_ties_up_to_the_size_of_a_document() -> None:
    site = [row(str(n), source_url="https://example.org/") for n in range(groups.SITE_ROWS)]
    assert together(site) == [set(range(groups.SITE_ROWS))]
    assert together([*site, row("one more", source_url="https://example.org/")]) == []


def test_on_a_site_speaker_and_date_make_a_speech() -> None:
    site = [row(str(n), source_url="https://example.org/") for n in range(groups.SITE_ROWS)]
    speeches = [
        row(
            f"{speaker} {date} {part}",
            source_url="https://example.org/",
            speaker=speaker,
            date=date,
        )
        for speaker in ("Ann", "Bek")
        for date in ("2020", "2021")
        for part in (1, 2)
    ]
    assert together([*speeches, *site]) == [{0, 1}, {2, 3}, {4, 5}, {6, 7}]


def test_a_speech_belongs_to_its_source() -> None:
    site = [row(str(n), source_url="https://example.org/") for n in range(groups.SITE_ROWS)]
    about = {"source_url": "https://example.org/", "speaker": "Ann", "date": "2020"}
    passages = [row("a", **about), row("b", source="papers", **about), *site]
    assert together(passages) == []


def test_claims_of_one_article_are_tied() -> None:
    passages = [
        row("1", source="claims", url="https://example.org/1"),
        row("2", source="claims", url="https://example.org/2"),
        row("3", source="disproofs", url="https://example.org/1"),
    ]
    assert together(passages) == [{0, 2}]


def test_claims_under_one_title_are_tied_whatever_its_case_and_punctuation() -> None:
    passages = [
        row("1", source="claims", title="The West pays for it all"),
        row("2", source="claims", title="Nobody pays for anything"),
        row("3", source="disproofs", title="«The West» pays for it all!"),
    ]
    assert together(passages) == [{0, 2}]


HEADLINE = "Іноземні фонди оплатили протести"
CLAIM = f"{HEADLINE} у столиці, стверджує джерело, близьке до уряду, і готують нові в листопаді."


def test_a_headline_is_tied_to_the_text_that_it_begins() -> None:
    passages = [
        row("1", text=CLAIM),
        row("2", text="Уряд оприлюднив бюджет."),
        row("3", text=HEADLINE),
    ]
    assert together([row("1", text=CLAIM[7:]), passages[2]]) == []  # no near-duplicates
    assert together(passages) == [{0, 2}]


def test_a_headline_is_tied_to_the_title_that_it_begins() -> None:
    passages = [row("1", title=CLAIM), row("2", text=HEADLINE), row("3", title="Фонди оплатили")]
    assert together(passages) == [{0, 1}]


def test_texts_that_begin_alike_and_go_on_differently_are_tied() -> None:
    beginning = "It was then that the harbour master, who had seen it all, said to the crew: "
    passages = [row(str(n), text=beginning + unlike(n) * 3) for n in range(3)]
    assert together([row(p.record.id, text=p.text[40:]) for p in passages]) == []
    assert together(passages) == [{0, 1, 2}]


def test_a_short_beginning_ties_nothing() -> None:
    short = "Foreign funds paid for"
    passages = [row("1", text=short), row("2", text=f"{short} the new harbour, a report says.")]
    assert together(passages) == []


@pytest.mark.parametrize("field", ["source_url", "parallel_id", "url", "title"])
def test_rows_that_leave_a_field_empty_are_not_tied_by_it(field: str) -> None:
    assert together([row("1", **{field: None}), row("2", **{field: None})]) == []


def test_the_members_of_a_minimal_set_are_tied() -> None:
    passages = [written("1", set_="boats"), written("2"), written("3", set_="boats"), written("4")]
    assert together(passages) == [{0, 2}]


def test_near_duplicates_are_tied_whatever_their_case_and_punctuation() -> None:
    text = "Протести у столиці організували та оплатили іноземні фонди, заявив речник уряду."
    passages = [
        row("1", text=text),
        row("2", text=text.upper().replace(",", " —").replace(".", "!!!")),
        row("3", source="papers", text="Повторюємо: " + text),
        row("4", text="Уряд оприлюднив проєкт бюджету на наступний рік, у ньому бракує коштів."),
    ]
    assert together(passages) == [{0, 1, 2}]


def chain() -> list[Passage]:
    """Four texts, each of which shares three quarters with the one before."""
    words = [unlike(number)[:8] for number in range(60)]
    return [row(str(n), text=" ".join(words[5 * n : 5 * n + 35])) for n in range(4)]


def test_near_duplicates_are_tied_transitively() -> None:
    passages = chain()
    assert together([passages[0], passages[3]]) == []
    assert together(passages) == [{0, 1, 2, 3}]


def test_ties_of_several_kinds_make_one_group() -> None:
    text = "The harvest was the best in a decade, the ministry of agriculture said on Monday."
    passages = [
        written("1", set_="boats"),
        written("2", set_="boats", text=text),
        row("euvs-1-summary", source="claims", text=text + " Again."),
        row("euvs-1-disproof", source="disproofs", source_url="https://example.org/1"),
        row("5", source_url="https://example.org/1"),
        row("6"),
    ]
    assert together(passages) == [{0, 1, 2, 3, 4}]


def test_groups_do_not_depend_on_the_order() -> None:
    passages = [*chain(), written("1", set_="boats"), written("2"), written("3", set_="boats")]
    backwards = list(reversed(passages))
    keys = {frozenset(passages[i].key for i in group) for group in together(passages)}
    assert keys == {frozenset(backwards[i].key for i in group) for group in together(backwards)}
