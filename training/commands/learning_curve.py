"""The command `learning-curve`."""

from pathlib import Path

import click

from training import corpus as corpora
from training import learning_curve as curves
from training.commands.options import LABELS, SOURCES, TAXONOMY


@click.command("learning-curve")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@LABELS
@TAXONOMY
@SOURCES
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path("docs"),
    show_default=True,
    help="Folder for page, figures and picture.",
)
def learning_curve(
    runs: tuple[Path, ...], labels: Path, taxonomy: Path, sources: Path, out: Path
) -> None:
    """Compare RUNS that were trained with `train --share` on growing parts of the labels."""
    corpus = corpora.load(labels, taxonomy, sources)
    curves.write(curves.measure(runs, corpus), out)
    click.echo(f"{out / curves.PAGE}, {out / curves.DATA}, {out / curves.PLOT}")
