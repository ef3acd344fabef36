"""A run: reads, links copies, scores and writes, shard by shard, and goes on after any stop.

What an earlier process finished is read again but not scored again: reading costs little beside
scoring, it makes the index of copies what it was, and it tells if a source has changed.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from serving.classifier import Classifier
from serving.errors import ServingError
from serving.scoring import shards
from serving.scoring.destination import Destination
from serving.scoring.durable import PARTIAL
from serving.scoring.kinds import Reading
from serving.scoring.manifest import Header, Manifest, Totals
from serving.scoring.options import Options
from serving.scoring.reading import entries, kind
from serving.scoring.records import Link, Record
from serving.scoring.rows import Run, identifier
from serving.scoring.shards import Item, cut
from serving.scoring.sources import Fetch, Source, expand
from serving.scoring.writing import Writer
from serving.web.options import Web

_PLAIN = {"jsonl", "text"}
_INDEX = "copies.sqlite" + PARTIAL


def score(
    names: Sequence[str],
    out: Path,
    classifier: Classifier,
    options: Options | None = None,
    *,
    web: Web | None = None,
    now: datetime | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Totals]:
    """Score sources into `out`, yielding the totals so far after every call of the model.

    `web` says how addresses of the web are asked, else they are refused; `now` is the moment that
    rows are marked with, else that of the run's start; `tell` is given sentences for the reader,
    such as which columns were chosen.

    Raises:
        ServingError: a name stands for nothing, `out` cannot be written or holds another run, or a
            source changed since an earlier process read it.
    """
    options = options or Options()
    destination = Destination.at(out, options.format, options.partition)
    with _fetching(destination.folder, web) as fetch:
        sources = expand(names, without=destination.written, fetch=fetch)
    plain = destination.file is not None and _is_one_plain_file(names, sources)
    options = replace(options, copies=options.copies or ("score" if plain else "near"))
    header = _header(sources, classifier, options, now or datetime.now(UTC))
    try:
        with Manifest(destination.folder, header) as manifest:
            yield from _score(sources, destination, classifier, options, manifest, plain, tell)
            if web is not None:
                from serving.scoring.downloads import forget

                forget(destination.folder)
            destination.join(file.file for shard in manifest.shards for file in shard.files)
    except sqlite3.Error as error:
        raise ServingError(f"{destination.folder / _INDEX}: {error}.") from error
    except OSError as error:
        raise ServingError(f"{error.filename or out}: {error.strerror or error}.") from error


@contextmanager
def _fetching(folder: Path, web: Web | None) -> Iterator[Fetch | None]:
    if web is None:
        yield None
        return
    from serving.scoring.downloads import downloads

    with downloads(folder, web) as found:
        yield found.source


def _is_one_plain_file(names: Sequence[str], sources: list[Source]) -> bool:
    # A folder that happens to hold one file would change its rows when it gets a second.
    is_one = len(names) == len(sources) == 1 and Path(names[0]).is_file()
    return is_one and kind(sources[0]) in _PLAIN


def _header(
    sources: list[Source], classifier: Classifier, options: Options, now: datetime
) -> Header:
    model = classifier.manifest
    return Header(
        sources=[{"source": source.name, "bytes": source.size} for source in sources],
        model={
            "name": model.name,
            "sha256": hashlib.sha256(model.model_dump_json().encode()).hexdigest(),
        },
        taxonomy=model.taxonomy_version,
        options=options.as_json(),
        scored_at=now.astimezone(UTC).replace(microsecond=0).isoformat(),
    )


def _score(
    sources: list[Source],
    destination: Destination,
    classifier: Classifier,
    options: Options,
    manifest: Manifest,
    plain: bool,
    tell: Callable[[str], None],
) -> Iterator[Totals]:
    run = Run(
        model=classifier.manifest.name,
        taxonomy=classifier.manifest.taxonomy_version,
        scored_at=datetime.fromisoformat(manifest.header.scored_at),
        plain=plain,
        with_text=options.with_text,
    )
    writer = Writer(destination.folder, classifier, options, run)
    writer.restore(manifest.shards)
    if manifest.shards:
        tell(f"{destination.folder}: goes on after {len(manifest.shards)} finished shards.")
    total = Totals()
    if manifest.complete:
        yield sum((shard.totals for shard in manifest.shards), total)
        return
    reading = Reading(options.columns, options.limits, _once(tell))
    with ExitStack() as stack:
        items = _items(sources, reading, destination.folder / _INDEX, options, stack)
        number = -1
        for number, group in enumerate(cut(items, options.shard_records, shards.SHARD_TEXT)):
            if number < len(manifest.shards):
                _check_unchanged(manifest, number, group)
                total += manifest.shards[number].totals
                yield total
                continue
            # The totals grow with every call of the model, not only with every shard.
            for done in writer.write(number, group):
                yield total + done
            manifest.add(writer.finished)
            total += writer.finished.totals
        if number + 1 < len(manifest.shards):
            raise ServingError(_changed(len(manifest.shards) - 1))
        if number == -1:
            # Readers of the folder find a file with the right columns, even if it has no rows.
            for _ in writer.write(0, []):
                pass
            manifest.add(writer.finished)
    manifest.finish(total)
    yield total


def _items(
    sources: list[Source], reading: Reading, index: Path, options: Options, stack: ExitStack
) -> Iterator[Item]:
    if options.copies is None or options.copies == "score":
        for entry in entries(sources, reading):
            yield Item(entry)
        return
    # Its library takes half a second to load, which is for those who use it.
    from serving.scoring.copies import Copies

    copies = stack.enter_context(Copies(index, options.copies))
    for entry in entries(sources, reading):
        link: Link | None = None
        if isinstance(entry, Record):
            link = copies.link(entry, identifier(entry))
        yield Item(entry, link)


def _once(tell: Callable[[str], None]) -> Callable[[str, str], None]:
    """Return what tells each choice once: a folder may have a thousand files of one shape."""
    told: set[str] = set()

    def tell_choice(source: str, choice: str) -> None:
        if choice not in told:
            told.add(choice)
            tell(f"{source}: {choice}")

    return tell_choice


def _check_unchanged(manifest: Manifest, number: int, group: list[Item]) -> None:
    if manifest.shards[number].input != shards.digest(group):
        raise ServingError(_changed(number))


def _changed(number: int) -> str:
    return (
        f"The sources have changed since shard {number} was made of them: "
        "remove the output, or pass another --out."
    )
