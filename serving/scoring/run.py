"""A run: an engine makes shard after shard of what is read, and it goes on after any stop."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from serving.errors import ServingError
from serving.scoring.destination import Destination
from serving.scoring.engines import Engine
from serving.scoring.manifest import Header, Manifest, Totals
from serving.scoring.options import Options
from serving.scoring.reading import kind
from serving.scoring.rows import Run
from serving.scoring.sources import Fetch, Source, expand
from serving.scoring.work import Work
from serving.scoring.writing import Writer
from serving.web.options import Web

_PLAIN = {"jsonl", "text"}


def score(
    names: Sequence[str],
    out: Path,
    engine: Engine,
    options: Options | None = None,
    *,
    web: Web | None = None,
    now: datetime | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Totals]:
    """Score sources into `out`, yielding the totals so far whenever they are known to have grown.

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
    read = [(source.name, source.size) for source in sources]
    header = Header.of(read, engine.model, options, now or datetime.now(UTC))
    try:
        with Manifest(destination.folder, header) as manifest:
            run = Run(
                model=engine.model.name,
                taxonomy=engine.model.taxonomy_version,
                scored_at=datetime.fromisoformat(manifest.header.scored_at),
                plain=plain,
                with_text=options.with_text,
            )
            work = Work(sources=sources, options=options, run=run)
            yield from _score(work, engine, destination.folder, manifest, tell)
            if web is not None:
                from serving.scoring.downloads import forget

                forget(destination.folder)
            destination.join(file.file for shard in manifest.shards for file in shard.files)
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


def _score(
    work: Work,
    engine: Engine,
    folder: Path,
    manifest: Manifest,
    tell: Callable[[str], None],
) -> Iterator[Totals]:
    writer = Writer(folder, work.options.partition)
    writer.restore(manifest.shards)
    total = sum((shard.totals for shard in manifest.shards), Totals())
    if manifest.shards:
        tell(f"{folder}: goes on after {len(manifest.shards)} finished shards.")
        yield total
    if manifest.complete:
        return
    work = replace(work, finished=[shard.input for shard in manifest.shards])
    for step in engine.make(work, folder, tell):
        if isinstance(step, Totals):
            yield total + step
        else:
            manifest.add(writer.write(step))
            total += step.totals
    manifest.finish(total)
    yield total
