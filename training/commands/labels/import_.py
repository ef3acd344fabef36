"""The command `labels import`."""

from datetime import date, datetime
from pathlib import Path

import click

from training import taxonomy as taxonomies
from training.commands.labels import formats
from training.commands.options import LABELS, TAXONOMY
from training.errors import LabelError
from training.labels import merge as merging
from training.labels import records, store


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--format", "name", type=click.Choice(formats.NAMES), help="Else by the ending.")
@click.option("--annotator", help="Whose readings these are; without it rows are whole records.")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=lambda: date.today().isoformat(),
    show_default="today",
    help="Day of the reading.",
)
@LABELS
@TAXONOMY
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write the resulting records to this file and leave --labels as it is.",
)
def command(
    source: Path,
    name: str | None,
    annotator: str | None,
    day: datetime,
    labels: Path,
    taxonomy: Path,
    out: Path | None,
) -> None:
    """Merge labelled rows: new records are added, second readings stand beside the first.

    A bad row is listed with its reason; the others are taken in. Decided labels never change.
    """
    if annotator is not None and not annotator.strip():
        raise LabelError("--annotator is empty: give the name under which the readings stand.")
    known = taxonomies.load(taxonomy)
    good, problems = records.check(labels, known)
    if problems:
        raise LabelError("mend the labels before adding to them:\n" + "\n".join(problems))
    merged = merging.merge(
        formats.read(name or formats.of(source), source),
        {record.key: record for record in good},
        known,
        annotator=annotator,
        day=day.date(),
    )
    if out is None:
        store.change(merged.changed, labels)
        store.add(merged.added, labels)
    else:
        results = [*merged.added, *merged.changed, *merged.unchanged]
        out.write_text("".join(map(store.line, results)), encoding="utf-8", newline="\n")
    for reject in merged.rejects:
        click.echo(f"{reject}", err=True)
    for key in merged.differing:
        click.echo(f"{key}: read otherwise than decided; adjudicate.", err=True)
    click.echo(
        f"{len(merged.added)} new records, {len(merged.changed)} new readings, "
        f"{len(merged.unchanged)} known already, {len(merged.rejects)} rows refused; "
        f"{len(merged.differing)} readings differ from the decided labels."
    )
    if merged.added and out is None:
        click.echo("Place the new records: narrascope labels split --sources DIR")
