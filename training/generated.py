"""Pages with numbers that nobody types: blocks between comments, made anew in place.

A block begins with `<!-- generated:NAME -->` and ends with `<!-- /generated -->`; what stands
around the blocks is written by people and left alone.
"""

import re
from collections.abc import Mapping
from typing import Any

from training.errors import TrainingError

BLOCK = re.compile(
    r"(<!-- generated:(?P<name>[\w-]+) -->\n)(?P<content>.*?)(<!-- /generated -->)", re.DOTALL
)
BEGIN = "<!-- generated:"


def refresh(page: str, blocks: Mapping[str, str]) -> str:
    """Return the page with every block made anew.

    Raises:
        TrainingError: a block has no end or is of an unknown name.
    """
    found = list(BLOCK.finditer(page))
    if len(found) != page.count(BEGIN) or any(BEGIN in match["content"] for match in found):
        raise TrainingError("the page has a generated block without <!-- /generated -->.")
    for match in found:
        if match["name"] not in blocks:
            raise TrainingError(
                f"the page asks for {match['name']!r}; there is {', '.join(blocks)}."
            )
    return BLOCK.sub(lambda match: f"{match[1]}{blocks[match['name']]}\n{match[4]}", page)


def contents(page: str) -> dict[str, str]:
    """Return what stands in the blocks of a page, by name."""
    return {match["name"]: match["content"].removesuffix("\n") for match in BLOCK.finditer(page)}


def table(header: list[str], rows: list[list[Any]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
