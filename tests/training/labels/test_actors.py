"""Whom passages name."""

from pathlib import Path

import pytest

from training.errors import LabelError
from training.labels import actors

NAMES = {"foxes": ["fox", "лис"], "bears": ["bear", "медвед"]}


def test_a_passage_counts_for_everyone_whom_it_names_and_for_none_if_nobody() -> None:
    texts = [("en", "A Fox and a bear."), ("en", "Foxes!"), ("en", "An owl."), ("ru", "Лисы идут.")]
    made = actors.shares(texts, NAMES).splitlines()
    assert made[0] == "| language | passages | names foxes | names bears | none |"
    assert made[2:] == [
        "| all | 4 | 75% | 25% | 25% |",
        "| en | 3 | 67% | 33% | 33% |",
        "| ru | 1 | 100% | 0% | 0% |",
    ]


def test_a_name_inside_another_word_names_nobody() -> None:
    assert "| en | 1 | 0% | 0% | 100% |" in actors.shares([("en", "Forbearance.")], NAMES)


def test_labels_without_a_list_of_actors_have_none(tmp_path: Path) -> None:
    assert actors.load(tmp_path) == {}


def test_a_list_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / actors.FILE).write_text("- fox\n")
    with pytest.raises(LabelError, match=r"actors\.yaml: expected"):
        actors.load(tmp_path)
