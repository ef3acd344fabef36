"""Alpha against published and hand-computed values, and the parts that it is measured on."""

import json
from pathlib import Path

import numpy as np
import pytest

from training.labels import agreement
from training.labels.records import Labels, Record, Written
from training.taxonomy import Taxonomy

RED: Labels = {"red-tractors": "for"}
AGAINST: Labels = {"red-tractors": "against"}


def read(name: str, *readings: Labels, lang: str = "en", by: str = "ABC", **more: str) -> Record:
    about = {"how": "written", "id": name, "text": "A text.", "register": "post", "lang": lang}
    annotations = dict(zip(by, readings, strict=False))
    decided = {"labels": readings[0], "annotator": "A", "date": "2026-01-01"}
    return Written.model_validate({**about, **decided, **more, "annotations": annotations})


def test_alpha_of_krippendorffs_example_with_missing_values() -> None:
    # Krippendorff 2011, part C: four observers, twelve units, five categories, nominal 0.743.
    rows = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    units = [[row[u] for row in rows if row[u] != "."] for u in range(12)]
    counts = np.array([[unit.count(v) for v in "12345"] for unit in units], float)
    assert agreement.alpha(counts) == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_undefined_where_nothing_varies_or_nothing_was_read_twice() -> None:
    assert agreement.alpha(np.zeros((0, 2))) is None
    assert agreement.alpha(np.array([[2.0, 0.0], [2.0, 0.0]])) is None
    assert agreement.alpha(np.array([[1.0, 0.0], [0.0, 1.0]])) is None


def test_a_part_counts_what_was_read_twice_and_how_it_ended(made_up: Taxonomy) -> None:
    records = [
        read("1", RED, RED),
        read("2", RED, AGAINST),
        read("3", RED, {}),
        read("4", {}, {}, lang="kk"),
        read("5", RED, lang="kk"),
    ]
    found = agreement.measure(records, made_up, {"written:1": "test"})
    red = found.parts["narrative"]["red-tractors"]
    assert (red.read, red.read_twice, red.both, red.one) == (5, 4, 2, 1)
    assert red.narrative is not None
    # Eight values, five of them 1: 1 differing unit of two values, 30 of 56 pairs differ by chance.
    assert red.narrative.value == pytest.approx(1 - (2 / 8) / (30 / 56))
    assert red.stance is not None
    # Four stances, one against: 2 of 4 in differing pairs, 6 of 12 by chance.
    assert red.stance.value == pytest.approx(1 - (2 / 4) / (6 / 12))
    assert found.parts["narrative"]["blue-boats"].narrative is None
    assert {n: p.read_twice for n, p in found.parts["language"].items()} == {"en": 3, "kk": 1}
    assert {n: p.read_twice for n, p in found.parts["side"].items()} == {"test": 1, "-": 3}
    assert list(found.parts["origin"]) == ["written"]


def test_pairs_of_annotators_are_told_apart(made_up: Taxonomy) -> None:
    records = [read(str(n), RED, RED, {}) for n in range(3)] + [read("9", {}, {}, {}, by="ABC")]
    pairs = agreement.measure(records, made_up, {}).parts["annotators"]
    assert set(pairs) == {"A with B", "A with C", "B with C"}
    assert (pairs["A with B"].both, pairs["A with B"].one) == (3, 0)
    assert (pairs["A with C"].both, pairs["A with C"].one) == (0, 3)


def test_the_interval_holds_the_value_and_is_always_the_same(made_up: Taxonomy) -> None:
    records = [read(str(n), RED if n % 2 else {}, RED if n % 3 else {}) for n in range(60)]
    figures = [agreement.measure(records, made_up, {}).whole.narrative for _ in range(2)]
    assert figures[0] == figures[1]
    assert figures[0] is not None
    assert figures[0].low < figures[0].value < figures[0].high


def test_a_minimal_set_is_drawn_as_one(made_up: Taxonomy) -> None:
    readings = [(RED if n % 2 else {}, RED if n % 5 else {}) for n in range(60)]
    alone = [read(str(n), *pair) for n, pair in enumerate(readings)]
    copies = [read(f"{n}-{k}", *pair, set=str(n)) for n, pair in enumerate(readings) for k in "ab"]
    one, two = (agreement.measure(r, made_up, {}).whole.narrative for r in (alone, copies))
    assert one is not None
    assert two is not None
    # Twice the passages, but no more sets: the interval must not shrink.
    assert two.high - two.low == pytest.approx(one.high - one.low, rel=0.02)


def test_the_report_is_json_and_a_table(made_up: Taxonomy, tmp_path: Path) -> None:
    found = agreement.measure([read("1", RED, {}), read("2", {})], made_up, {})
    written = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert (written["passages"], written["read_twice"]) == (2, 1)
    assert written["by_language"]["en"]["found_by_one"] == 1
    assert "| blue-boats | 2 | 1 | 0 | 0 | - | - |" in found.as_table().splitlines()
