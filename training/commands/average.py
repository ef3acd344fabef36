"""The command `average`."""

import json
from pathlib import Path

import click

from training import soup


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the run to write.",
)
def average(runs: tuple[Path, ...], run: Path) -> None:
    """Average the weights of finished RUNS that differ in their seed alone."""
    click.echo(json.dumps(soup.average(runs, run)))
