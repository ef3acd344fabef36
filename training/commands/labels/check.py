"""The command `labels check`."""

import sys
from pathlib import Path

import click

from training import taxonomy as taxonomies
from training.commands.options import LABELS, SOURCES, TAXONOMY
from training.errors import LabelError
from training.labels import records
from training.labels import sources as texts


@click.command()
@LABELS
@TAXONOMY
@SOURCES
def command(labels: Path, taxonomy: Path, sources: Path) -> None:
    """Check every record; errors name file, line and field."""
    known = taxonomies.load(taxonomy)
    good, problems = records.check(labels, known)
    for problem in problems:
        click.echo(problem, err=True)
    resolved = texts.resolve(good, sources)
    for key in resolved.changed:
        click.echo(f"{key}: sha256: the source's row is gone or has another text.", err=True)
    if not good and not problems:
        raise LabelError(f"no labels under {labels}: it should hold *.jsonl files.")
    click.echo(
        f"{len(good)} records hold, {len(problems) + len(resolved.changed)} problems, "
        f"{len(resolved.without_source)} stand-off records could not be compared with their source."
    )
    if problems or resolved.changed:
        sys.exit(1)
