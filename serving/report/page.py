"""A report as one HTML page: no script, no request to anywhere, every text escaped.

Bars and lines are drawn by the template, in SVG and in the reader's own colours, so that the page
is text throughout: it can be searched, read aloud and printed.
"""

from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined

from serving.report.summary import Narrative, Summary
from serving.report.words import day, link, named, one_line, period, share

WIDTH, HEIGHT = 240, 48
"""Of a small curve, in its own units."""
_TEMPLATE = "page.html"


@dataclass(frozen=True)
class Curve:
    """A narrative over time: bars as (x, y, width, height), and the highest count."""

    name: str
    bars: list[tuple[float, float, float, float]]
    highest: int
    total: int


def html(found: Summary) -> str:
    """Return the report as a page."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "day": day,
        "link": link,
        "named": named,
        "line": one_line,
        "period": period,
        "share": share,
    }
    source = resources.files("serving.report").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    widest = max((one.accepted for one in found.narratives), default=0) or 1
    return environment.from_string(source).render(
        found=found,
        curves=curves(found),
        bars={one.id: bars(one, widest) for one in found.narratives},
        reviews=reviews(found),
        width=WIDTH,
        height=HEIGHT,
    )


def bars(narrative: Narrative, widest: int) -> list[tuple[str, float, int]]:
    """Return the parts of a narrative's bar: stance, per cent of the widest bar, count."""
    return [
        (stance, round(100 * count.copies / widest, 3), count.copies)
        for stance, count in narrative.stances.items()
        if count.copies
    ]


def reviews(found: Summary) -> list[tuple[Narrative, float]]:
    """Return the narratives that go to a person, most first, with per cent of the widest bar."""
    left = sorted(
        (one for one in found.narratives if one.review.copies),
        key=lambda one: (-one.review.copies, one.id),
    )
    return [(one, round(100 * one.review.copies / left[0].review.copies, 3)) for one in left]


def curves(found: Summary) -> list[Curve]:
    """Return the narratives over time, all on one scale, the most frequent first."""
    highest = max((max(counts) for counts in found.over_time.values()), default=0)
    drawn = []
    for narrative, counts in found.over_time.items():
        step = WIDTH / max(1, len(counts))
        drawn.append(
            Curve(
                name=narrative,
                bars=[
                    (
                        round(number * step, 2),
                        round(HEIGHT * (1 - count / highest), 2),
                        round(max(step * 0.85, 0.5), 2),
                        round(HEIGHT * count / highest, 2),
                    )
                    for number, count in enumerate(counts)
                    if count
                ],
                highest=max(counts),
                total=sum(counts),
            )
        )
    return sorted(drawn, key=lambda curve: (-curve.total, curve.name))
