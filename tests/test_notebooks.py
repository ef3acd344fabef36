"""Every notebook runs from top to bottom on the released model."""

from pathlib import Path

import pytest

from tests.notebooks import NOTEBOOKS, execute


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path: Path) -> None:
    execute(path)
