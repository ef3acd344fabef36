"""Which columns of a table, or fields of an object, hold what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from serving.errors import SourceError, TextError
from serving.scoring.records import Record, metadata

_USUAL = {
    "text": ("text", "content", "body", "full_text", "article", "message", "post", "tweet"),
    "id": ("id", "_id", "guid", "uid", "uuid", "post_id", "tweet_id", "doc_id"),
    "date": ("date", "published_at", "published", "created_at", "pubdate", "timestamp", "datetime"),
    "language": ("language", "lang"),
    "title": ("title", "headline"),
    "url": ("url", "link", "uri", "permalink"),
}
"""Names in the order in which they are tried, in any case of letters."""


@dataclass(frozen=True)
class Columns:
    """Names of columns, as given by the caller or chosen for a source; None: there is none."""

    text: str | None = None
    id: str | None = None
    date: str | None = None
    language: str | None = None
    title: str | None = None
    url: str | None = None

    def choose(self, names: Iterable[str]) -> "Columns":
        """Return the columns of a source that has `names`: those given, and guesses for the rest.

        Raises:
            SourceError: a column that was given is missing, or none can hold the text.
        """
        present = list(names)
        by_lower = {name.strip().lower(): name for name in reversed(present)}
        chosen: dict[str, str | None] = {}
        for field in fields(self):
            given = getattr(self, field.name)
            if given is not None and given not in present:
                raise SourceError(f"There is no column {given!r}; {_listed(present)}.")
            usual = (by_lower[name] for name in _USUAL[field.name] if name in by_lower)
            chosen[field.name] = given or next(usual, None)
        if chosen["text"] is None:
            raise SourceError(
                f"No column has a name that we know for texts; {_listed(present)}: "
                "pass --text-column."
            )
        return Columns(**chosen)

    def completed(self) -> "Columns":
        """Return the columns with the first usual name where there is none."""
        return Columns(
            **{
                field.name: getattr(self, field.name) or _USUAL[field.name][0]
                for field in fields(self)
            }
        )

    def described(self) -> str:
        """Return the choice for a reader, such as "text=body id=guid"."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return " ".join(f"{what}={name}" for what, name in named if name is not None)

    def used(self) -> list[str]:
        """Return the names that are read, each once."""
        return list(
            dict.fromkeys(name for f in fields(self) if (name := getattr(self, f.name)) is not None)
        )

    def record(self, values: Mapping[str, Any], source: str, position: int) -> Record:
        """Return the record that a row makes.

        Raises:
            TextError: the text or the id is not one.
        """

        def value(name: str | None) -> Any:
            return None if name is None else values.get(name)

        text = value(self.text)
        if not isinstance(text, str):
            raise TextError(
                f"The field {self.text!r} is missing or not a string.", limit="line-text"
            )
        return Record(
            source=source,
            position=position,
            text=text,
            id=_identifier(value(self.id), self.id),
            date=metadata(value(self.date)),
            title=metadata(value(self.title)),
            url=metadata(value(self.url)),
            language=metadata(value(self.language)),
        )


def _identifier(given: Any, field: str | None) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    raise TextError(f"The field {field!r} is neither a string nor a whole number.", limit="line-id")


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:12])
    return f"the columns are {shown or 'none'}" + (" and more" if len(names) > 12 else "")
