"""The command `report`."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import get_args

import click

from serving.report import Step


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write a page that needs nothing else.",
)
@click.option(
    "--by",
    type=click.Choice(get_args(Step)),
    default="day",
    show_default=True,
    help="Step of the curves over time.",
)
@click.option(
    "--top",
    type=click.IntRange(0, 50),
    default=3,
    show_default=True,
    help="Passages that are shown of each narrative.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report to stdout as JSON.")
def report(out: Path, page: Path | None, by: Step, top: int, as_json: bool) -> None:
    """Tell what is in OUT, which `score` or `watch` wrote."""
    # DuckDB and the template engine are loaded by those who want a report.
    from serving.report.page import html
    from serving.report.summary import summary
    from serving.report.terminal import text

    found = summary(out, step=by, top=top)
    if page is not None:
        page.write_text(html(found), encoding="utf-8")
        click.echo(f"wrote {page}", err=True)
    if as_json:
        click.echo(json.dumps(asdict(found), default=_moment, ensure_ascii=False))
    else:
        click.echo(text(found))


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be written as JSON")
