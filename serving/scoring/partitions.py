"""Folders by day and language, named as Hive names them: a query opens only those it asks for.

The keys are not called as the columns of a row are: `date` is a text as the source wrote it, and a
reader that met a key of that name with another type would refuse both.
"""

from datetime import datetime
from typing import Literal

Partition = Literal["date", "language", "date,language"]

DAY = "day"
LANGUAGE = "lang"
UNKNOWN = "unknown"
"""Stands for the day of what has no date that can be told."""
_KEYS = {"date": DAY, "language": LANGUAGE}


def keys(partition: Partition | None) -> list[str]:
    """Return the keys of a partition, the outer folder's first; none if it is not asked for."""
    return [_KEYS[name] for name in partition.split(",")] if partition else []


def folder(partition: Partition | None, published_at: datetime | None, language: str) -> str:
    """Return the folder of a row, relative to the output; `published_at` is in UTC."""
    values = {
        DAY: published_at.date().isoformat() if published_at else UNKNOWN,
        LANGUAGE: language,
    }
    return "/".join(f"{key}={values[key]}" for key in keys(partition))


def pattern(partition: Partition | None, name: str) -> str:
    """Return the glob of all files of a name in an output."""
    return "/".join([*(f"{key}=*" for key in keys(partition)), name])
