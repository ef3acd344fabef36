"""Scores a file: JSONL lines with `id` and `text` in, prediction objects out, in order.

A `.txt` file is one text, whose id is the file's name. A bad line never ends the run: it goes to a
rejects file with its number and the reason.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from serving.classifier import Classifier, Item, check_text
from serving.errors import ServingError, TextError

CHUNK = 256
"""Lines that are scored together: enough for full batches, few enough to stay in memory."""


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


def rejects_path(out: Path) -> Path:
    """Return where the rejected lines of a run go."""
    return out.with_suffix(".rejects.jsonl")


def score(
    source: Path, out: Path, classifier: Classifier, *, scores: bool = False
) -> Iterator[Tally]:
    """Score `source` into `out`, yielding the tally after every chunk.

    The output appears under its name when it is complete; the rejects file only if there are any.

    Raises:
        ServingError: the source cannot be read.
    """
    if out.exists() and source.exists() and out.samefile(source):
        raise ServingError(f"{out} is the source itself: pass another --out.")
    tally = Tally()
    rejects = rejects_path(out)
    partial = out.with_name(out.name + ".partial")
    out.parent.mkdir(parents=True, exist_ok=True)
    rejects.unlink(missing_ok=True)
    with partial.open("w", encoding="utf-8") as sink:
        lines = _lines(source)
        while chunk := list(islice(lines, CHUNK)):
            good = [line.item for line in chunk if line.item is not None]
            for prediction in classifier.predict(good, scores=scores) if good else []:
                sink.write(json.dumps(prediction.as_json(), ensure_ascii=False) + "\n")
            bad = [line for line in chunk if line.item is None]
            _reject(rejects, source, bad)
            tally.read += len(chunk)
            tally.scored += len(good)
            tally.rejected += len(bad)
            yield tally
    partial.replace(out)


def _reject(path: Path, source: Path, lines: list[_Line]) -> None:
    if not lines:
        return
    with path.open("a", encoding="utf-8") as sink:
        for line in lines:
            entry = {"source": str(source), "line": line.number, "reason": line.reason}
            sink.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _lines(source: Path) -> Iterator[_Line]:
    try:
        with source.open("rb") as lines:
            if source.suffix == ".txt":
                yield _whole(source, lines.read())
                return
            for number, raw in enumerate(lines, 1):
                if raw.strip():
                    yield _line(number, raw)
    except OSError as error:
        raise ServingError(f"{source} cannot be read: {error.strerror}.") from error


def _whole(source: Path, raw: bytes) -> _Line:
    return _checked(1, lambda: Item(raw.decode("utf-8-sig"), source.stem))


def _line(number: int, raw: bytes) -> _Line:
    def parse() -> Item:
        record = json.loads(raw.decode("utf-8-sig"))
        return Item(_text(record), _id(record))

    return _checked(number, parse)


def _checked(number: int, parse: Callable[[], Item]) -> _Line:
    try:
        item = parse()
        check_text(item.text)
    except UnicodeDecodeError as error:
        return _Line(number, None, f"The line is not UTF-8 (byte {error.start}).")
    except (ValueError, RecursionError) as error:
        return _Line(number, None, f"The line is not JSON: {error}.")
    except TextError as error:
        return _Line(number, None, str(error))
    return _Line(number, item)


def _text(record: Any) -> str:
    if not isinstance(record, dict):
        raise TextError("The line is no JSON object.", limit="line-object")
    text = record.get("text")
    if not isinstance(text, str):
        raise TextError("The field 'text' is missing or not a string.", limit="line-text")
    return text


def _id(record: dict[str, Any]) -> str | None:
    given = record.get("id")
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    raise TextError("The field 'id' is neither a string nor a whole number.", limit="line-id")
