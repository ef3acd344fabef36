"""False alarms on a source of neutral text that nobody labelled, by language."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from training.corpus import Corpus
from training.errors import LabelError
from training.evaluation.measured import Measured
from training.labels.sources import Row
from training.metrics import at_least_one, rate
from training.readout import listen


def false_alarms(
    measured: Measured, corpus: Corpus, folder: Path, source: str
) -> list[dict[str, Any]]:
    """Count texts of a source with an accepted finding, by language, the worst first.

    A row that stands in the labels is left out, whatever its side, and so are its translations.

    Raises:
        LabelError: the source is not in `folder`, is damaged, or has nothing that is unlabelled.
    """
    rows = list(_unlabelled(corpus, folder / f"{source}.jsonl.gz", source))
    if not rows:
        raise LabelError(f"{source} has no row that is not labelled: pass another --neutral.")
    said = listen(measured.classifier, [row["text"] for row in rows])
    flagged = at_least_one(said.accepted(measured.decisions))
    languages = np.array([row["lang"] for row in rows])
    found = [
        {
            "language": str(lang),
            "zero_shot": str(lang) not in measured.languages,
            "accepted": rate(flagged[languages == lang]).as_json(),
            "found": rate(
                at_least_one(said.reviewed(measured.decisions))[languages == lang]
            ).as_json(),
        }
        for lang in np.unique(languages)
    ]
    return sorted(found, key=lambda part: (-part["accepted"]["value"], part["language"]))


def _unlabelled(corpus: Corpus, path: Path, source: str) -> Iterator[Row]:
    labelled = [passage for passage in corpus.passages if passage.source == source]
    ids = {row for p in labelled for row in p.row.get("joined", [p.record.id])}
    parallel = {p.row["parallel_id"] for p in labelled if "parallel_id" in p.row}
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                same = row.get("parallel_id") in parallel or row["id"] in ids
                if not same and row["text"].strip():
                    yield row
    except FileNotFoundError as error:
        raise LabelError(f"no {path}: pass the --sources folder that holds it.") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabelError(f"{path} is damaged ({error}): get it anew.") from error
