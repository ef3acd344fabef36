"""The corpus of a run: labels, taxonomy, texts and split, loaded together."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training import taxonomy as taxonomies
from training.errors import LabelError
from training.labels import records, sources, split
from training.labels.sources import Passage
from training.taxonomy import Taxonomy

SPLIT = "split.json"


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """The passages that have a text, the side that each is on, and how many have none."""

    taxonomy: Taxonomy
    passages: list[Passage]
    split: split.Split
    without_source: list[str]
    changed: list[str]

    def side(self, name: str) -> list[Passage]:
        """Return the passages of `train`, `dev` or `test`."""
        return split.take(self.passages, self.split, name)

    def describe(self) -> dict[str, Any]:
        """Return counts and a fingerprint of what a model is made from and measured on.

        The fingerprint covers taxonomy, texts, languages, labels and sides: two corpora with the
        same one make and measure the same model.
        """
        lines = sorted(
            json.dumps(
                [p.key, sources.digest(p.text), p.lang, p.labels, self.split[p.key]], sort_keys=True
            )
            for p in self.passages
        )
        content = "\n".join([self.taxonomy.model_dump_json(), *lines])
        return {
            "fingerprint": hashlib.sha256(content.encode()).hexdigest(),
            "passages": len(self.passages),
            "written": sum(p.source == "written" for p in self.passages),
            "stand_off": sum(p.source != "written" for p in self.passages),
            "left_out": len(self.without_source) + len(self.changed),
            "sides": dict(Counter(self.split[p.key] for p in self.passages)),
        }

    def left_out(self) -> str:
        """Say in a sentence what has no text here; empty if nothing is left out."""
        parts = []
        if self.without_source:
            parts.append(f"{len(self.without_source)} stand-off records whose source is not here")
        if self.changed:
            parts.append(
                f"{len(self.changed)} whose row is gone or has another text ({self.changed[0]})"
            )
        return f"Left out: {' and '.join(parts)}." if parts else ""


def load(labels: Path, taxonomy_file: Path, source_folder: Path | None) -> Corpus:
    """Load a folder of labels.

    Without a frozen split of its own (somebody's new labels) one is made, the same each time.

    Raises:
        LabelError: taxonomy, labels or split do not hold together.
    """
    taxonomy = taxonomies.load(taxonomy_file)
    resolved = sources.resolve(records.read(labels, taxonomy), source_folder)
    path = labels / SPLIT
    sides = split.read(path) if path.exists() else split.extend(resolved.passages, {})
    for passage in resolved.passages:
        if passage.key not in sides:
            raise LabelError(
                f"{passage.key} stands on no side of {path}: run `narrascope labels split`."
            )
    return Corpus(
        taxonomy=taxonomy,
        passages=resolved.passages,
        split=sides,
        without_source=resolved.without_source,
        changed=resolved.changed,
    )
