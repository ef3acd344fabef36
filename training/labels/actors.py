"""How many passages name none of the actors that most of them are about.

An actor is no label: where nearly all claims name the same state, a model may learn its name
instead of the claim. Names are beginnings of words out of a file, so a short one catches more than
it should and an actor who goes by "we" is missed; the share is an estimate.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from training.errors import LabelError
from training.generated import table

FILE = "actors.yaml"

_ACTORS: TypeAdapter[dict[str, list[str]]] = TypeAdapter(dict[str, list[str]])


def load(folder: Path) -> dict[str, list[str]]:
    """Read actor -> beginnings of words; a folder without such a file has none.

    Raises:
        LabelError: the file is not of that form.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        return _ACTORS.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise LabelError(f"{path}: expected a list of beginnings of words by actor.") from error


def shares(texts: Iterable[tuple[str, str]], actors: Mapping[str, Sequence[str]]) -> str:
    """Return a table of texts, given as (language, text), by language: who names whom, who none."""
    patterns = {name: _pattern(stems) for name, stems in actors.items()}
    counts: dict[str, Counter[str]] = {}
    for language, text in texts:
        found = [name for name, pattern in patterns.items() if pattern.search(text)] or ["none"]
        for part in ("all", language):
            counts.setdefault(part, Counter()).update([*found, "total"])
    rows = [
        [
            part,
            count["total"],
            *(_percent(count[name], count["total"]) for name in (*actors, "none")),
        ]
        for part, count in sorted(counts.items(), key=lambda item: (-item[1]["total"], item[0]))
    ]
    return table(["language", "passages", *(f"names {name}" for name in actors), "none"], rows)


def _pattern(stems: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, stems))})", re.IGNORECASE)


def _percent(count: int, total: int) -> str:
    return f"{count / total:.0%}"
