"""Files that are whole or not there, whatever stops the machine."""

import os
from pathlib import Path

PARTIAL = ".partial"


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of files, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(unfinished: Path, path: Path) -> None:
    """Give a finished file its name, replacing what had it."""
    sync(unfinished)
    unfinished.replace(path)
    sync(path.parent)


def unfinished(path: Path) -> Path:
    """Return the name of a file until it is whole."""
    return path.with_name(path.name + PARTIAL)
