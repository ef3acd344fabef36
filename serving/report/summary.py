"""Counts over an output: by narrative and stance, over time, by source and language, and the top.

Every count is told twice: by story, where copies of one text are one, and by copy, where each
counts with what was found in its story.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from serving.report import Step
from serving.report.rows import is_complete, open_output, rejected

STANCES = ("advances", "reports", "rebuts")
"""The order in which stances are shown; others of a taxonomy come after them."""
SOURCES = 25
"""Sources and languages that are shown."""
LONGEST = 600
"""Characters of a passage that are shown."""
MOST_STEPS = 370
"""Steps that are shown: one entry that claims to be from year 1 would draw 700,000 days."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """A count by story and by copy; the second includes the first."""

    stories: int
    copies: int


@dataclass(frozen=True, kw_only=True)
class Narrative:
    """Accepted findings of a narrative by stance, and stories in which a person should look."""

    id: str
    stances: dict[str, Count]
    review: Count

    @property
    def accepted(self) -> int:
        """Return the accepted findings by copy."""
        return sum(count.copies for count in self.stances.values())


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows of one source or language, those with an accepted `advances`, and those for a person."""

    name: str
    rows: int
    advances: int
    review: int


@dataclass(frozen=True, kw_only=True)
class Top:
    """A passage that surely advances a narrative, with the number of its copies."""

    narrative: str
    confidence: float
    source: str
    id: str | None
    title: str | None
    url: str | None
    published_at: datetime | None
    passage: str | None
    copies: int


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All that a report tells.

    `without` has no finding at all. `times` are the beginnings of steps, `over_time` counts of
    them, and `off_time` the dated rows before the first or after the last.
    """

    out: str
    models: list[str]
    taxonomies: list[str]
    scored: tuple[datetime | None, datetime | None]
    published: tuple[datetime | None, datetime | None]
    complete: bool | None
    rows: int
    stories: int
    copies: int
    undated: int
    rejected: dict[str, int]
    with_accepted: Count
    for_review: Count
    without: Count
    narratives: list[Narrative]
    step: Step
    times: list[datetime]
    over_time: dict[str, list[int]]
    off_time: int
    sources: list[Group]
    languages: list[Group]
    top: list[Top]


def summary(out: Path, *, step: Step = "day", top: int = 3) -> Summary:
    """Summarise an output; `top` passages are shown of each narrative.

    Raises:
        ServingError: there is no output, or it is not what `score` and `watch` write.
    """
    with open_output(out) as database:
        return _summary(database, out, step, top)


def _summary(db: duckdb.DuckDBPyConnection, out: Path, step: Step, top: int) -> Summary:
    db.execute(_FLAGS)
    db.execute(_ALL)
    rows, stories, undated = _one(
        db,
        "SELECT count(*), count(*) FILTER (copy_of IS NULL), "
        "count(*) FILTER (published_at IS NULL) FROM rows",
    )
    times, over_time, off_time = _over_time(db, step)
    return Summary(
        out=str(out),
        models=_column(db, "SELECT DISTINCT model FROM rows ORDER BY 1"),
        taxonomies=_column(
            db,
            "SELECT DISTINCT taxonomy_version FROM rows "
            "WHERE taxonomy_version IS NOT NULL ORDER BY 1",
        )
        if _has(db, "taxonomy_version")
        else [],
        scored=_span(db, "scored_at"),
        published=_span(db, "published_at"),
        complete=is_complete(out),
        rows=rows,
        stories=stories,
        copies=rows - stories,
        undated=undated,
        rejected=rejected(out),
        with_accepted=_flagged(db, "accepted"),
        for_review=_flagged(db, "review"),
        without=_without(db),
        narratives=_narratives(db),
        step=step,
        times=times,
        over_time=over_time,
        off_time=off_time,
        sources=_groups(db, "place"),
        languages=_groups(db, "language"),
        top=_top(db, top),
    )


_FLAGS = """
CREATE TABLE flags AS SELECT n,
  bool_or(decision = 'accept') AS accepted,
  bool_or(decision = 'accept' AND stance = 'advances') AS advances,
  bool_or(decision = 'review') AS review
FROM findings GROUP BY n
"""
_ALL = """
CREATE VIEW every AS
  SELECT n AS story, place, language, published_at FROM stories
  UNION ALL
  SELECT copies.story, copies.place, stories.language, copies.published_at
  FROM copies LEFT JOIN stories ON copies.story = stories.n
"""


def _one(
    db: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any] | None = None
) -> tuple[Any, ...]:
    found = db.execute(query, parameters).fetchone()
    return tuple(found or ())


def _column(db: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [str(value) for (value,) in db.execute(query).fetchall()]


def _has(db: duckdb.DuckDBPyConnection, column: str) -> bool:
    return column in db.view("rows").columns


def _span(db: duckdb.DuckDBPyConnection, column: str) -> tuple[Any, Any]:
    found = _one(db, f"SELECT min({column}), max({column}) FROM rows")
    return found[0], found[1]


def _flagged(db: duckdb.DuckDBPyConnection, flag: str) -> Count:
    every = f"SELECT count(*) FROM every WHERE story IN (SELECT n FROM flags WHERE {flag})"
    return Count(
        stories=_one(db, f"SELECT count(*) FROM flags WHERE {flag}")[0],
        copies=_one(db, every)[0],
    )


def _without(db: duckdb.DuckDBPyConnection) -> Count:
    # A copy whose story is not in the output has nothing that was found either.
    every = "SELECT count(*) FROM every WHERE story IS NULL OR story NOT IN (SELECT n FROM flags)"
    return Count(
        stories=_one(db, "SELECT count(*) FROM stories WHERE n NOT IN (SELECT n FROM flags)")[0],
        copies=_one(db, every)[0],
    )


def _narratives(db: duckdb.DuckDBPyConnection) -> list[Narrative]:
    counted: dict[str, dict[tuple[str, str], Count]] = {}
    for narrative, decision, stance, stories, copies in db.execute(
        "SELECT narrative, decision, stance, count(DISTINCT n), count(*) "
        "FROM findings JOIN every ON every.story = findings.n GROUP BY ALL ORDER BY 1, 2, 3"
    ).fetchall():
        found = counted.setdefault(narrative, {})
        found[decision, stance] = Count(stories=stories, copies=copies)
    narratives = []
    for narrative, found in counted.items():
        accepted = {stance: count for (kind, stance), count in found.items() if kind == "accept"}
        review = [count for (kind, _), count in found.items() if kind == "review"]
        narratives.append(
            Narrative(
                id=narrative,
                stances={
                    stance: accepted.get(stance, Count(stories=0, copies=0))
                    for stance in dict.fromkeys([*STANCES, *accepted])
                },
                review=Count(
                    stories=sum(count.stories for count in review),
                    copies=sum(count.copies for count in review),
                ),
            )
        )
    return sorted(narratives, key=lambda one: (-one.accepted, -one.review.copies, one.id))


def _over_time(
    db: duckdb.DuckDBPyConnection, step: Step
) -> tuple[list[datetime], dict[str, list[int]], int]:
    """Count accepted `advances` by copy in each step up to the last, and rows outside of them."""
    every = {"day": "1 day", "week": "7 days", "month": "1 month"}[step]
    # What claims to have been published after it was scored is not believed.
    until = (
        "(SELECT max(scored_at) + INTERVAL 1 DAY FROM rows)" if _has(db, "scored_at") else "NULL"
    )
    (last,) = _one(
        db,
        f"SELECT date_trunc('{step}', max(published_at)) FROM every "
        f"WHERE published_at <= coalesce({until}, published_at)",
    )
    if last is None:
        return [], {}, _one(db, "SELECT count(published_at) FROM every")[0]
    times = [
        time
        for (time,) in db.execute(
            f"SELECT unnest(generate_series(greatest(date_trunc('{step}', min(published_at)), "
            f"$last - {MOST_STEPS - 1} * INTERVAL {every}), $last, INTERVAL {every})) FROM every",
            {"last": last},
        ).fetchall()
    ]
    places = {time: number for number, time in enumerate(times)}
    shown = {"first": times[0], "last": last}
    over_time: dict[str, list[int]] = {}
    for narrative, time, count in db.execute(
        f"SELECT narrative, date_trunc('{step}', every.published_at) AS time, count(*) "
        "FROM findings JOIN every ON every.story = findings.n "
        "WHERE decision = 'accept' AND stance = 'advances' "
        "AND time BETWEEN $first AND $last GROUP BY ALL ORDER BY 1, 2",
        shown,
    ).fetchall():
        over_time.setdefault(narrative, [0] * len(times))[places[time]] = count
    (off_time,) = _one(
        db,
        f"SELECT count(*) FROM every WHERE date_trunc('{step}', published_at) "
        "NOT BETWEEN $first AND $last",
        shown,
    )
    return times, over_time, off_time


def _groups(db: duckdb.DuckDBPyConnection, column: str) -> list[Group]:
    return [
        Group(name=name, rows=rows, advances=advances, review=review)
        for name, rows, advances, review in db.execute(
            f"SELECT coalesce({column}, 'unknown') AS name, count(*), "
            "count(*) FILTER (flags.advances), count(*) FILTER (flags.review) "
            "FROM every LEFT JOIN flags ON every.story = flags.n "
            f"GROUP BY name ORDER BY 3 DESC, 2 DESC, 1 LIMIT {SOURCES}"
        ).fetchall()
    ]


def _top(db: duckdb.DuckDBPyConnection, top: int) -> list[Top]:
    text = "text" if _has(db, "text") else "NULL"
    return [
        Top(
            narrative=narrative,
            confidence=confidence,
            source=place,
            id=identifier,
            title=title,
            url=url,
            published_at=published_at,
            passage=passage,
            copies=copies,
        )
        for (
            narrative,
            confidence,
            place,
            identifier,
            title,
            url,
            published_at,
            passage,
            copies,
        ) in db.execute(
            'WITH best AS (SELECT n, narrative, confidence, "begin", "end" FROM findings '
            "WHERE decision = 'accept' AND stance = 'advances' "
            "QUALIFY row_number() OVER "
            "(PARTITION BY narrative ORDER BY confidence DESC, n) <= $top) "
            "SELECT narrative, confidence, place, id, title, url, published_at, "
            f'left(substr({text}, "begin" + 1, "end" - "begin"), $longest), '
            "(SELECT count(*) FROM copies WHERE copies.story = best.n) "
            "FROM best JOIN stories USING (n) ORDER BY narrative, confidence DESC, n",
            {"top": top, "longest": LONGEST},
        ).fetchall()
    ]
