"""From what the caller names (files, folders, globs, addresses, lists) to single sources."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec

from serving.errors import ServingError, SourceError
from serving.scoring.compression import undone
from serving.scoring.kinds import HEAD, LISTINGS, kind_of
from serving.scoring.limits import SOURCE_BYTES
from serving.scoring.listings import listed
from serving.web.options import is_web

_SCHEME = "://"
_MAY_LIST = {".opml", ".xml", ".gz", ".zst", ".bz2", ".xz"}
_DEEPEST = 5
"""Lists that may be nested in lists."""


@dataclass(frozen=True)
class Source:
    """One file; `name` is how it was named, `size` its bytes as stored, `files` where it lies.

    `web` says that the file is a copy of what is at an address, and `broken` why there is none.
    """

    name: str
    path: str
    size: int
    files: Any = None
    web: bool = False
    broken: str | None = None

    def open(self) -> BinaryIO:
        """Open the file for reading bytes."""
        if self.files is None:
            return Path(self.path).open("rb")
        return cast(BinaryIO, self.files.open(self.path, "rb"))


Fetch = Callable[[str], Source]
"""Returns what is at an address of the web."""


def expand(
    names: Sequence[str], *, without: Iterable[Path] = (), fetch: Fetch | None = None
) -> list[Source]:
    """Return all sources in order, each once; what lies in `without` is left out of folders.

    `fetch` gets what is on the web; without it such a name is refused.

    Raises:
        ServingError: a name stands for nothing that can be read, or for our own output.
    """
    barred = [path.resolve() for path in without]
    found: dict[tuple[int, str], Source] = {}
    for name in names:
        for source in _expand(name, barred, fetch):
            for one in _unlisted(source, 0, fetch):
                found.setdefault((id(one.files), _real(one)), one)
    return list(found.values())


def _real(source: Source) -> str:
    return source.path if source.files is not None else os.path.realpath(source.path)


def _fetched(name: str, fetch: Fetch | None) -> Source:
    if fetch is None:
        raise ServingError(f"{name} is on the web, from which nothing is fetched here.")
    return fetch(name)


def _expand(name: str, barred: list[Path], fetch: Fetch | None) -> Iterator[Source]:
    path = Path(name)
    if is_web(name):
        yield _fetched(name, fetch)
    elif any(is_web(part) for part in name.split("::")):
        raise ServingError(f"{name} is inside of something on the web: save it and pass the file.")
    elif (_SCHEME in name or "::" in name) and not path.exists():
        yield from _elsewhere(name)
    elif path.is_file():
        if _within(path, barred):
            raise ServingError(f"{name} is where the output would go: pass another --out.")
        yield _local(path)
    elif path.is_dir():
        yield from _folder(path, barred)
    elif glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 (a name may be absolute)
        files = [Path(match) for match in matches if Path(match).is_file()]
        if not files:
            raise ServingError(f"{name} cannot be read: no file matches it.")
        yield from (_local(file) for file in files if not _within(file, barred))
    else:
        raise ServingError(f"{name} cannot be read: there is no such file.")


def _folder(path: Path, barred: list[Path]) -> Iterator[Source]:
    for where, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(where) / name
            if not name.startswith(".") and file.is_file() and not _within(file, barred):
                yield _local(file)


def _within(path: Path, barred: list[Path]) -> bool:
    real = path.resolve()
    return any(real == place or place in real.parents for place in barred)


def _local(path: Path) -> Source:
    return Source(str(path), str(path), path.stat().st_size)


def _elsewhere(name: str) -> Iterator[Source]:
    """Yield the sources at an address that fsspec knows, such as s3://bucket/*.jsonl."""
    try:
        files, path = fsspec.url_to_fs(name)
        if files.isfile(path):
            paths = [path]
        elif files.isdir(path):
            paths = sorted(files.find(path))
        else:
            paths = sorted(p for p in files.glob(path) if files.isfile(p))
        if not paths:
            raise ServingError(f"{name} cannot be read: there is nothing.")
        scheme = name.partition(_SCHEME)[0]
        # Of "zip://*.csv::desk.zip" only the first part is a place in the file system that is met.
        _, joint, rest = name.partition("::")
        for one in paths:
            shown = f"{scheme}{_SCHEME}{one.lstrip('/')}{joint}{rest}"
            yield Source(shown, one, int(files.size(one) or 0), files)
    except (ImportError, ValueError, OSError) as error:
        raise ServingError(f"{name} cannot be read: {error}.") from error


def _unlisted(source: Source, depth: int, fetch: Fetch | None) -> Iterator[Source]:
    """Yield the source, or those that it lists if it is a list."""
    kind = _listing(source)
    if kind is None:
        yield source
        return
    if depth == _DEEPEST:
        raise ServingError(f"{source.name}: lists are nested more than {_DEEPEST} deep.")
    if source.files is not None:
        raise ServingError(
            f"{source.name} is a list, and not a local file: save it beside its files."
        )
    try:
        named = _named(source)
    except ServingError as error:
        # What stands on the web is not the caller's to mend.
        if not source.web:
            raise
        yield replace(source, broken=str(error))
        return
    for one in named:
        found = _fetched(one, fetch) if isinstance(one, str) else _local(one)
        yield from _unlisted(found, depth + 1, fetch)


def _named(source: Source) -> list[Path | str]:
    with source.open() as raw:
        stream, _ = undone(raw, most=SOURCE_BYTES)
        return listed(stream, source.name if source.web else source.path, local=not source.web)


def _listing(source: Source) -> str | None:
    # Only XML can be a list, so that a folder of a million other files is not opened here.
    suffix = Path(source.name.lower()).suffix
    if source.broken or not (source.web or suffix in _MAY_LIST):
        return None
    try:
        with source.open() as raw:
            stream, _ = undone(raw, most=SOURCE_BYTES)
            kind = kind_of(source.name, stream.read(HEAD))
    except (OSError, SourceError):
        # It is told of, with its reason, when its turn to be read comes.
        return None
    return kind if kind in LISTINGS else None
