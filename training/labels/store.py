"""Writing records into a folder of labels; lines that do not change stay byte for byte."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from training.labels import records
from training.labels.records import Record, StandOff


def place(record: Record) -> Path:
    """Return the file of a record, from the folder of labels."""
    if isinstance(record, StandOff):
        return Path("stand-off") / f"{record.source}.jsonl"
    return Path("written") / f"{record.lang}.jsonl"


def line(record: Record) -> str:
    """Return a record as its line."""
    return json.dumps(records.dump(record), ensure_ascii=False) + "\n"


def change(changed: Iterable[Record], folder: Path) -> None:
    """Give known records new annotations, where they stand."""
    wanted = {record.key: record for record in changed}
    for path in sorted(folder.rglob("*.jsonl")) if wanted else ():
        before = path.read_bytes().splitlines(keepends=True)
        after = [_changed(old, wanted) for old in before]
        if after != before:
            _replace(path, b"".join(after))


def _changed(old: bytes, wanted: dict[str, Record]) -> bytes:
    if not old.strip():
        return old
    fields = json.loads(old)
    kind = "written" if fields["how"] == "written" else fields["source"]
    record = wanted.get(f"{kind}:{fields['id']}")
    if record is None:
        return old
    fields["annotations"] = record.annotations
    return (json.dumps(fields, ensure_ascii=False) + "\n").encode()


def add(added: Iterable[Record], folder: Path) -> None:
    """Append new records to the files of their language or source."""
    members: dict[Path, list[Record]] = defaultdict(list)
    for record in added:
        members[folder / place(record)].append(record)
    for path, fresh in members.items():
        before = path.read_bytes() if path.exists() else b""
        if before and not before.endswith(b"\n"):
            before += b"\n"
        _replace(path, before + "".join(map(line, fresh)).encode())


def _replace(path: Path, content: bytes) -> None:
    # Whoever stops the program must not find half a file of labels.
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)
