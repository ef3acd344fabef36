"""Scores a file: JSONL lines with `id` and `text` in, prediction objects out, in order.

A `.txt` file is one text, whose id is the file's name. A bad line never ends the run: it goes to a
rejects file with its number and the reason.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from serving.classifier import Classifier, Item, check_id, check_text
from serving.errors import ServingError, TextError
from serving.explanations import explained

CHUNK = 256
CHUNK_TEXT = 400_000
"""Lines, and code points, that are scored together: full batches, and memory that stays flat."""


@dataclass(kw_only=True)
class Tally:
    """How many lines were read, scored and rejected; blank lines are not counted."""

    read: int = 0
    scored: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class _Line:
    number: int
    item: Item | None
    reason: str = ""
    raw: str = ""


def count(source: Path) -> int:
    """Return how many lines of a JSONL file are not blank."""
    with source.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def rejects_path(out: Path) -> Path:
    """Return where the rejected lines of a run go."""
    return out.with_suffix(".rejects.jsonl")


def score(
    source: Path,
    out: Path,
    classifier: Classifier,
    *,
    scores: bool = False,
    explain: bool = False,
) -> Iterator[Tally]:
    """Score `source` into `out`, yielding the tally after every chunk.

    The output appears under its name when it is complete; the rejects file only if there are any.

    Raises:
        ServingError: the source cannot be read.
    """
    rejects = rejects_path(out)
    for written in (out, rejects):
        if written.exists() and source.exists() and written.samefile(source):
            raise ServingError(f"{source} is where the output would go: pass another --out.")
    if not source.is_file():
        raise ServingError(f"{source} cannot be read: there is no such file.")
    if out.is_dir():
        raise ServingError(f"{out} is a folder: pass the name of a file as --out.")
    unfinished = out.with_name(out.name + ".partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        rejects.unlink(missing_ok=True)
        sink = unfinished.open("w", encoding="utf-8")
    except OSError as error:
        raise ServingError(f"{out} cannot be written: {error.strerror}.") from error
    tally = Tally()
    try:
        with sink:
            for chunk in _chunks(_lines(source)):
                good = [line.item for line in chunk if line.item is not None]
                predictions = classifier.predict(good, scores=scores)
                for item, prediction in zip(good, predictions, strict=True):
                    if explain:
                        prediction = explained(classifier, item.text, prediction)
                    sink.write(json.dumps(prediction.as_json(), ensure_ascii=False) + "\n")
                _reject(rejects, source, [line for line in chunk if line.item is None])
                tally.read += len(chunk)
                tally.scored += len(good)
                tally.rejected += len(chunk) - len(good)
                yield tally
        unfinished.replace(out)
    except OSError as error:
        raise ServingError(f"{error.filename or out}: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _chunks(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    chunk: list[_Line] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line.item.text) if line.item else 0
        if len(chunk) == CHUNK or size >= CHUNK_TEXT:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _reject(path: Path, source: Path, lines: list[_Line]) -> None:
    if not lines:
        return
    with path.open("a", encoding="utf-8") as sink:
        for line in lines:
            entry = {"source": str(source), "line": line.number, "reason": line.reason}
            entry["raw"] = line.raw
            sink.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _lines(source: Path) -> Iterator[_Line]:
    with source.open("rb") as lines:
        if source.suffix == ".txt":
            whole = lines.read()
            yield _checked(1, whole, lambda: Item(whole.decode("utf-8-sig"), source.stem))
            return
        for number, raw in enumerate(lines, 1):
            if raw.strip():
                yield _checked(number, raw, partial(_item, raw))


def _item(raw: bytes) -> Item:
    record = json.loads(raw.decode("utf-8-sig"))
    return Item(_text(record), _id(record))


def _checked(number: int, raw: bytes, parse: Callable[[], Item]) -> _Line:
    try:
        item = parse()
        check_text(item.text)
    except UnicodeDecodeError as error:
        reason = f"The line is not UTF-8 (byte {error.start})."
    except (ValueError, RecursionError) as error:
        reason = f"The line is not JSON: {error}."
    except TextError as error:
        reason = str(error)
    else:
        return _Line(number, item)
    # What was rejected is kept, so that it can be mended and scored.
    return _Line(number, None, reason, raw.decode("utf-8", "backslashreplace").rstrip("\r\n"))


def _text(record: Any) -> str:
    if not isinstance(record, dict):
        raise TextError("The line is no JSON object.", limit="line-object")
    text = record.get("text")
    if not isinstance(text, str):
        raise TextError("The field 'text' is missing or not a string.", limit="line-text")
    return text


def _id(record: dict[str, Any]) -> str | None:
    given = record.get("id")
    if given is None:
        return None
    if isinstance(given, str):
        check_id(given)
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    raise TextError("The field 'id' is neither a string nor a whole number.", limit="line-id")
