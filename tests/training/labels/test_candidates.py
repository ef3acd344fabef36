"""What to read next: torn rows, far from each other, and nothing that is labelled already."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.classifier import Classifier
from training.errors import LabelError
from training.labels import candidates
from training.labels.candidates import Candidate
from training.labels.sources import Passage


def rows(folder: Path, *made: dict[str, Any], source: str = "speeches") -> None:
    with gzip.open(folder / f"{source}.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in made)


def unlike(number: int) -> str:
    return "".join(random.Random(number).choices("abcdefghijklmnopqrstuvwxyz ", k=90))


def candidate(folder: Path, name: str, text: str, torn: float, lang: str = "en") -> Candidate:
    rows(folder, {"id": name, "lang": lang, "text": text})
    (passage,) = candidates.unlabelled(folder, [], set())
    return Candidate(passage=passage, uncertainty=torn, narrative="blue-boats")


def test_labelled_rows_other_languages_and_whole_documents_are_left_out(tmp_path: Path) -> None:
    rows(
        tmp_path,
        {"id": "1", "lang": "en", "text": "One."},
        {"id": "2", "lang": "en", "text": "Two."},
        {"id": "3", "lang": "kk", "text": "Үш."},
        {"id": "4", "lang": "en", "text": "x" * 5000},
        {"id": "5", "lang": "en", "text": "  "},
    )
    (first, *_) = candidates.unlabelled(tmp_path, [], set())
    left = candidates.unlabelled(tmp_path, [first.record], {"en"})
    assert [passage.key for passage in left] == ["speeches:2"]
    assert len(candidates.unlabelled(tmp_path, [], set())) == 3


def test_no_sources_and_a_damaged_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no sources under"):
        candidates.unlabelled(tmp_path, [], set())
    (tmp_path / "bad.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(LabelError, match=r"bad\.jsonl\.gz is damaged"):
        candidates.unlabelled(tmp_path, [], set())


def test_a_row_is_torn_at_the_threshold_or_where_a_found_narratives_stance_is_open() -> None:
    review = np.array([0.2])
    sure, open_ = [[0.99, 0.01]], [[0.5, 0.5]]
    torn = [
        float(candidates._torn(np.array([[p]]), np.array([stances]), review)[0, 0])
        for p, stances in ((0.2, sure), (0.0, open_), (1.0, sure), (0.9, open_))
    ]
    assert torn[0] == 1
    assert torn[1] == pytest.approx(0.75)
    assert torn[2] < 0.1
    assert torn[3] == pytest.approx(1)


def test_the_model_rates_every_row(tiny_model: Path, tmp_path: Path) -> None:
    rows(tmp_path, *({"id": str(n), "lang": "en", "text": unlike(n)} for n in range(5)))
    passages = candidates.unlabelled(tmp_path, [], set())
    rated = candidates.rate(Classifier.load(tiny_model), passages)
    assert [c.passage.key for c in rated] == [p.key for p in passages]
    assert all(0 <= c.uncertainty <= 1 and c.narrative for c in rated)


def test_the_most_torn_of_each_language_are_taken_up_to_its_quota(tmp_path: Path) -> None:
    made = [candidate(tmp_path, f"e{n}", unlike(n), n / 100) for n in range(40)]
    made += [candidate(tmp_path, f"k{n}", unlike(n + 50), n / 100, "kk") for n in range(2)]
    chosen = candidates.choose(made, [], {"en": 3, "kk": 5})
    codes = [c.passage.lang for c in chosen]
    assert (codes.count("en"), codes.count("kk")) == (3, 2)
    assert "speeches:e39" in [c.passage.key for c in chosen]
    assert min(c.uncertainty for c in chosen if c.passage.lang == "en") >= 0.25


def test_near_duplicates_of_labelled_text_and_of_each_other_are_left_out(tmp_path: Path) -> None:
    labelled: list[Passage] = [candidate(tmp_path, "0", unlike(0), 0).passage]
    made = [
        candidate(tmp_path, "1", unlike(0) + " again", 0.9),
        candidate(tmp_path, "2", unlike(1), 0.8),
        candidate(tmp_path, "3", unlike(1) + "!", 0.7),
        candidate(tmp_path, "4", unlike(2), 0.1),
    ]
    chosen = candidates.choose(made, labelled, {"en": 4})
    assert [c.passage.key for c in chosen] == ["speeches:2", "speeches:4"]


def test_rows_far_from_each_other_are_preferred(tmp_path: Path) -> None:
    near = [f"the harbour master said on day {n} {unlike(n)[:40]}" for n in range(4)]
    made = [candidate(tmp_path, f"n{n}", text, 0.9 - n / 100) for n, text in enumerate(near)]
    made.append(candidate(tmp_path, "far", "ЩОСЬ ЗОВСІМ ІНШЕ ПРО ЗБІР ВРОЖАЮ ЦЬОГО РОКУ", 0.5))
    chosen = candidates.choose(made, [], {"en": 2})
    assert {c.passage.key for c in chosen} == {"speeches:n0", "speeches:far"}


def test_a_row_shows_nothing_of_the_models_guess(tmp_path: Path) -> None:
    row = candidate(tmp_path, "1", "One.", 0.9).as_row()
    assert row["labels"] is None
    assert row["picked"] == "uncertainty"
    assert "blue-boats" not in str(row)
