"""A report as plain text of at most 80 columns."""

from tabulate import tabulate

from serving.report.summary import STANCES, Group, Summary
from serving.report.words import named, one_line, period, share

_WIDEST = 34
_SHOWN = 10


def text(found: Summary) -> str:
    """Return the report for a terminal."""
    parts = [
        f"{found.out}: {found.rows} rows, {found.stories} stories and {found.copies} copies of "
        f"them; {sum(found.rejected.values())} rejected",
        f"{one_line(', '.join(found.models), 60)}; "
        f"published {period(found.published)}, {found.undated} undated",
    ]
    if found.complete is False:
        parts.append("The run is not complete: more is to come.")
    accepted, review = found.with_accepted, found.for_review
    parts.append(
        f"accepted findings in {accepted.stories} stories ({accepted.copies} rows), "
        f"a person should look at {review.stories} ({review.copies} rows)"
    )
    parts.append(
        f"of all rows {share(review.copies, found.rows)} go to a person, "
        f"{share(found.without.copies, found.rows)} have no finding"
    )
    if len(found.models) > 1 or len(found.taxonomies) > 1:
        parts.append("Several models or taxonomies are mixed: their findings may not compare.")
    parts += ["", _narratives(found)]
    parts += ["", _groups("source", found.sources), "", _groups("language", found.languages)]
    if found.rejected:
        reasons = [*found.rejected.items()][:_SHOWN]
        parts += [
            "",
            _table(["rejected because", "records"], [[one_line(r, 60), n] for r, n in reasons]),
        ]
    return "\n".join(parts)


def _narratives(found: Summary) -> str:
    if not found.narratives:
        return "No narrative was found."
    rows: list[list[object]] = [
        [
            one_line(named(one.id), _WIDEST),
            *(f"{one.stances[s].stories} ({one.stances[s].copies})" for s in STANCES),
            f"{one.review.stories} ({one.review.copies})",
        ]
        for one in found.narratives
    ]
    told = _table(["narrative", *STANCES, "to a person"], rows)
    return f"{told}\nfindings by story, and with copies in brackets"


def _groups(what: str, groups: list[Group]) -> str:
    rows = [
        [one_line(one.name, _WIDEST), one.rows, one.advances, one.review] for one in groups[:_SHOWN]
    ]
    return _table([what, "rows", "advance", "to a person"], rows)


def _table(names: list[str], rows: list[list[object]]) -> str:
    right = ["left", *["right"] * (len(names) - 1)]
    return str(tabulate(rows, names, tablefmt="simple", colalign=right, disable_numparse=True))
