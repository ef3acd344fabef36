"""The command `labels stats`."""

import json
from pathlib import Path

import click

from training import taxonomy as taxonomies
from training.commands.options import LABELS, TAXONOMY
from training.labels import plot as plots
from training.labels import records
from training.labels import stats as statistics


@click.command()
@LABELS
@TAXONOMY
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw the counts (.png, .svg).")
def command(labels: Path, taxonomy: Path, as_json: bool, plot: Path | None) -> None:
    """Count records by origin, language, narrative and stance, and agreement where read twice."""
    known = taxonomies.load(taxonomy)
    counted = statistics.count(records.read(labels, known), known)
    click.echo(json.dumps(counted.as_json(), indent=1) if as_json else counted.as_table())
    if plot:
        plots.draw(counted, plot)
        click.echo(f"{plot}", err=True)
