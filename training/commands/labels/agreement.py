"""The command `labels agreement`."""

import json
from pathlib import Path

import click

from training import corpus
from training import taxonomy as taxonomies
from training.commands.options import LABELS, TAXONOMY
from training.labels import agreement, records
from training.labels import split as splits


@click.command()
@LABELS
@TAXONOMY
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(labels: Path, taxonomy: Path, as_json: bool) -> None:
    """Krippendorff's alpha per narrative, language, origin, annotators and side, and for stance."""
    known = taxonomies.load(taxonomy)
    path = labels / corpus.SPLIT
    sides = splits.read(path) if path.exists() else {}
    found = agreement.measure(records.read(labels, known), known, sides)
    click.echo(json.dumps(found.as_json(), indent=1) if as_json else found.as_table())
