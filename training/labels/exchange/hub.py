"""A folder that Hugging Face `datasets` loads: a Parquet file for each side of the split."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from datasets import Dataset, Features, List, Value, disable_progress_bars

from training.labels.exchange.rows import NAMES, Fields, Reject, Row
from training.taxonomy import Taxonomy

FILE = "{side}-00000-of-00001.parquet"
"""The name by which `datasets` knows the split."""

_LABELS = List({"narrative": Value("string"), "stance": Value("string")})
_NESTED = {
    "labels": _LABELS,
    "annotations": List({"annotator": Value("string"), "labels": _LABELS}),
}
_KINDS = {**_NESTED, "rows": Value("int64")}
FEATURES = Features({name: _KINDS.get(name, Value("string")) for name in NAMES})


def write(
    rows: Iterable[Fields], path: Path, taxonomy: Taxonomy, sides: Mapping[str, str] | None = None
) -> None:
    """Write `data/<side>-*.parquet`; rows that `sides` does not place are `unplaced`."""
    del taxonomy
    disable_progress_bars()
    members: dict[str, list[Fields]] = defaultdict(list)
    for fields in rows:
        members[(sides or {}).get(fields["key"], "unplaced")].append(_flat(fields))
    (path / "data").mkdir(parents=True, exist_ok=True)
    for side, flat in members.items():
        dataset = Dataset.from_list(flat, features=FEATURES)
        dataset.to_parquet(path / "data" / FILE.format(side=side))


def _flat(fields: Fields) -> Fields:
    flat = {name: fields.get(name) for name in NAMES}
    flat["labels"] = _pairs(flat["labels"])
    if flat["annotations"] is not None:
        flat["annotations"] = [
            {"annotator": name, "labels": _pairs(labels)}
            for name, labels in flat["annotations"].items()
        ]
    return flat


def _pairs(labels: dict[str, str] | None) -> list[dict[str, str]] | None:
    if labels is None:
        return None
    return [{"narrative": narrative, "stance": stance} for narrative, stance in labels.items()]


def read(path: Path) -> Iterator[Row | Reject]:
    """Read all Parquet files of the folder."""
    files = sorted(path.rglob("*.parquet"))
    if not files:
        yield Reject(where=str(path), reason="the folder holds no *.parquet files.")
    for file in files:
        try:
            rows = pyarrow.parquet.read_table(file).to_pylist()
        except (pyarrow.ArrowException, OSError) as error:
            yield Reject(where=str(file), reason=f"the file is no Parquet: {error}.")
            continue
        for number, flat in enumerate(rows, 1):
            where = f"{file}: row {number}"
            try:
                fields = {name: _nest(name, flat[name]) for name in NAMES if name in flat}
            except (TypeError, KeyError):
                yield Reject(where=where, reason="labels: no list of narrative and stance.")
                continue
            fields = {name: value for name, value in fields.items() if value is not None}
            yield Row(where=where, fields=fields, reading=fields.get("labels"))


def _nest(name: str, value: Any) -> Any:
    if value is None or name not in _NESTED:
        return value
    if name == "annotations":
        return {entry["annotator"]: _nest("labels", entry["labels"]) for entry in value}
    return {entry["narrative"]: entry["stance"] for entry in value}
