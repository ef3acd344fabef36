"""Generated blocks: made anew in place, the rest left alone."""

import pytest

from training.errors import TrainingError
from training.generated import contents, refresh, table


def test_blocks_are_made_anew_and_the_rest_is_left_alone() -> None:
    page = "Before.\n\n<!-- generated:a -->\nold\n<!-- /generated -->\nBetween \\1.\n"
    page += "<!-- generated:b -->\n<!-- /generated -->\nAfter.\n"
    fresh = refresh(page, {"a": "1 of \\2", "b": "two\nlines"})
    assert fresh == (
        "Before.\n\n<!-- generated:a -->\n1 of \\2\n<!-- /generated -->\nBetween \\1.\n"
        "<!-- generated:b -->\ntwo\nlines\n<!-- /generated -->\nAfter.\n"
    )
    assert refresh(fresh, {"a": "1 of \\2", "b": "two\nlines"}) == fresh
    assert contents(fresh) == {"a": "1 of \\2", "b": "two\nlines"}


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<!-- generated:a -->\n", "without"),
        ("<!-- generated:a -->\n<!-- generated:a -->\n<!-- /generated -->\n", "without"),
        ("<!-- generated:b -->\n<!-- /generated -->\n", "asks for 'b'; there is a"),
    ],
)
def test_a_page_that_does_not_hold_together_is_refused(page: str, reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        refresh(page, {"a": "1"})


def test_a_table_has_a_line_for_its_head_and_each_row() -> None:
    assert table(["a", "b"], [[1, "x"]]) == "| a | b |\n| --- | --- |\n| 1 | x |"
