"""What the parts may know: serving nothing of training, and code nothing of narratives."""

import ast
import re
from pathlib import Path

import pytest

from training import taxonomy

ROOT = Path(__file__).parents[1]
SERVING = sorted((ROOT / "serving").rglob("*.py"))
CODE = [*SERVING, *sorted((ROOT / "training").rglob("*.py"))]
BARRED = {"training", "torch", "transformers"}
NARRATIVES = taxonomy.load(ROOT / "data" / "labels" / "taxonomy.yaml").narrative_ids


def imported(source: str) -> set[str]:
    """Return the top-level packages that a module imports, at its top or anywhere within."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Call) and node.args:
            function, first = node.func, node.args[0]
            name = function.attr if isinstance(function, ast.Attribute) else ""
            name = function.id if isinstance(function, ast.Name) else name
            by_name = name in ("import_module", "__import__", "find_spec", "importorskip")
            if by_name and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value.partition(".")[0])
    return found


def named_in(source: str, narratives: list[str]) -> list[str]:
    """Return the narratives that a text has by id, with hyphens or as an identifier."""
    return [
        name
        for name in narratives
        if re.search(rf"(?<![\w-]){name.replace('-', '[-_]')}(?![\w-])", source, re.IGNORECASE)
    ]


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SERVING, ids=_relative)
def test_serving_imports_nothing_of_training(path: Path) -> None:
    assert imported(path.read_text(encoding="utf-8")) & BARRED == set()


@pytest.mark.parametrize("path", CODE, ids=_relative)
def test_no_narrative_has_a_name_in_code(path: Path) -> None:
    assert named_in(path.read_text(encoding="utf-8"), NARRATIVES) == []


def test_the_files_that_are_looked_at_are_those_of_the_project() -> None:
    looked_at = {_relative(path) for path in CODE}
    assert {"serving/cli.py", "serving/http/app.py", "training/network.py"} <= looked_at
    assert {"training/commands/train.py", "training/labels/__init__.py"} <= looked_at
    assert len(NARRATIVES) > 5


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "import torch.nn as nn",
        "import json, torch",
        "from torch import nn",
        "from torch.nn import Module",
        "def f():\n    import torch",
        "def f():\n    from torch import nn",
        "if TYPE_CHECKING:\n    import torch",
        "import importlib\nimportlib.import_module('torch.nn')",
        "x = __import__('torch')",
    ],
)
def test_an_import_is_found_wherever_it_stands(source: str) -> None:
    assert "torch" in imported(source)


@pytest.mark.parametrize(
    "source",
    ["from . import torch", "import json", "'import torch'", "# torch", "import torchless"],
)
def test_what_is_no_import_of_a_package_is_not_taken_for_one(source: str) -> None:
    assert imported(source) & BARRED == set()


@pytest.mark.parametrize(
    "source", ["x = 'red-tractors'", "# as red-tractors", "RED_TRACTORS = 1", "f(red_tractors=2)"]
)
def test_a_name_is_found_however_it_is_written(source: str) -> None:
    assert named_in(source, ["red-tractors", "blue-boats"]) == ["red-tractors"]


def test_a_longer_word_is_no_narrative() -> None:
    assert named_in("red-tractors-2, infrared-tractors, red_tractors_old", ["red-tractors"]) == []
