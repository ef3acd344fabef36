"""Opens an output in DuckDB, which reads JSONL and Parquet in bounded memory.

Views: `rows` as written, `stories` (what the model read), `copies` (each with its story's number),
`findings` (one for each narrative of a story). Names of files go in as parameters, and no extension
is fetched or loaded.
"""

import json
from pathlib import Path
from typing import Any

import duckdb

from serving.errors import ServingError
from serving.scoring.destination import REJECTS
from serving.scoring.durable import unfinished
from serving.scoring.manifest import NAME

MEMORY = "1GB"
"""Of DuckDB; what does not fit goes to a temporary folder."""
_FINDING = (
    "STRUCT(narrative VARCHAR, confidence DOUBLE, decision VARCHAR, stance VARCHAR, "
    'stance_confidence DOUBLE, "begin" BIGINT, "end" BIGINT)[]'
)
_COLUMNS = {
    "source": "VARCHAR",
    "id": "VARCHAR",
    "copy_of": "VARCHAR",
    "copy_of_source": "VARCHAR",
    "published_at": "TIMESTAMPTZ",
    "title": "VARCHAR",
    "url": "VARCHAR",
    "language": "VARCHAR",
    "narratives": _FINDING,
    "text": "VARCHAR",
    "model": "VARCHAR",
    "taxonomy_version": "VARCHAR",
    "scored_at": "TIMESTAMPTZ",
}
REASONS = 1000
"""Reasons of rejects that are told apart."""
OTHER = "other reasons"
_LONGEST = 1 << 27
"""Bytes of a line of JSON."""
_PLACE = r"regexp_extract(coalesce(nullif(url, ''), source, ''), '^https?://([^/?#]+)', 1)"
_VIEWS = (
    # The host of what is on the web, else the name of the file: what a reader calls a source.
    f"CREATE VIEW rows AS SELECT *, lower(coalesce(nullif({_PLACE}, ''), "
    "nullif(regexp_extract(coalesce(source, ''), '[^/]*$'), ''), 'unknown')) AS place FROM read",
    "CREATE TABLE stories AS SELECT row_number() OVER () AS n, * FROM rows WHERE copy_of IS NULL",
    # An entry that came again under its id stands for one story.
    "CREATE TABLE firsts AS SELECT id, source, min(n) AS n FROM stories GROUP BY ALL",
    "CREATE TABLE copies AS SELECT firsts.n AS story, rows.* FROM rows LEFT JOIN firsts "
    "ON rows.copy_of = firsts.id AND rows.copy_of_source IS NOT DISTINCT FROM firsts.source "
    "WHERE rows.copy_of IS NOT NULL",
    "CREATE TABLE findings AS SELECT n, language, place, published_at, unnest(narratives, "
    "recursive := true) FROM stories WHERE len(narratives) > 0",
)


def open_output(out: Path) -> duckdb.DuckDBPyConnection:
    """Return a database over an output.

    Raises:
        ServingError: there is no output, or it is not what `score` and `watch` write.
    """
    files = files_of(out)
    database = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": MEMORY,
        }
    )
    database.execute("SET TimeZone = 'UTC'")
    # In this order rows are numbered as they are written.
    database.execute("SET preserve_insertion_order = true")
    try:
        if files[0].suffix == ".parquet":
            read = database.read_parquet(
                [str(file) for file in files], union_by_name=True, hive_partitioning=False
            )
        else:
            read = database.read_json(
                [str(file) for file in files],
                format="newline_delimited",
                columns=_COLUMNS,
                maximum_object_size=_LONGEST,
                hive_partitioning=False,
            )
        kept = [f'"{name}"' for name in _COLUMNS if name in read.columns]
        missing = {"narratives", "model"} - set(read.columns)
        if missing:
            raise ServingError(f"{out} lacks {', '.join(sorted(missing))}: it is no such output.")
        read.project(", ".join(kept)).create_view("read")
        for statement in _VIEWS:
            database.execute(statement)
    except duckdb.Error as error:
        told = str(error).splitlines()[0]
        raise ServingError(f"{out} cannot be read: {told}.") from error
    if strange := _strange(database):
        raise ServingError(f"{out} has {strange} rows without a model: it is no such output.")
    return database


def files_of(out: Path) -> list[Path]:
    """Return the files of an output, in the order in which they were written.

    Raises:
        ServingError: there are none.
    """
    if out.is_file():
        if out.suffix not in (".jsonl", ".ndjson", ".parquet"):
            raise ServingError(f"{out} is neither JSONL nor Parquet: pass what `score` wrote.")
        return [out]
    if unfinished(out).is_dir() and not out.exists():
        raise ServingError(
            f"{out} is not finished: give its `score` command again, or report what there is so "
            f"far in {unfinished(out)}."
        )
    if not out.is_dir():
        raise ServingError(f"{out} cannot be read: there is no such output.")
    for format_ in ("jsonl", "parquet"):
        found = [path for path in out.rglob(f"shard-*.{format_}") if path.is_file()]
        if found:
            return sorted(found, key=lambda path: (path.name, path))
    raise ServingError(f"{out} has no shards: pass the --out of `score` or `watch`.")


def rejected(out: Path) -> dict[str, int]:
    """Return how many records were rejected for each reason, the most frequent first.

    After the first `REASONS` the new ones are counted together: a reason can hold what a source
    says, and then there are as many as there are rejects.
    """
    path = out / REJECTS if out.is_dir() else out.with_suffix(".rejects.jsonl")
    counts: dict[str, int] = {}
    if path.is_file():
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                reason = _reason(line)
                if reason not in counts and len(counts) >= REASONS:
                    reason = OTHER
                counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda found: -found[1]))


def is_complete(out: Path) -> bool | None:
    """Say whether the run behind an output ended; None if nothing tells."""
    manifest = out / NAME
    if not manifest.is_file():
        return None if out.is_dir() else True
    last = b""
    with manifest.open("rb") as lines:
        for last in lines:  # noqa: B007 (only the last one matters)
            pass
    try:
        return bool(json.loads(last).get("complete", False))
    except (ValueError, AttributeError):
        return False


def _reason(line: str) -> str:
    try:
        found: Any = json.loads(line)
        return str(found["reason"])[:200]
    except (ValueError, KeyError, TypeError):
        return "not told"


def _strange(database: duckdb.DuckDBPyConnection) -> int:
    found = database.execute("SELECT count(*) FROM rows WHERE model IS NULL").fetchone()
    return int(found[0]) if found else 0
