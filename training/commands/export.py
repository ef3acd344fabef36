"""The command `export`."""

import json
from pathlib import Path

import click

from training import corpus as corpora
from training import release
from training.commands.options import LABELS, SOURCES, TAXONOMY


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    default=Path("runs/latest"),
    show_default=True,
    help="Folder of a finished run.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Model folder to write, e.g. models/narrascope-0.1.0.",
)
@click.option(
    "--fp32", is_flag=True, help="Leave the network in fp32, to see what eight bits cost."
)
def export(labels: Path, taxonomy: Path, sources: Path, run: Path, out: Path, fp32: bool) -> None:
    """Export a run to a model folder: quantised, calibrated on dev, measured on test."""
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    metrics = release.export_run(run, corpus, out, int8=not fp32)
    click.echo(json.dumps(metrics, indent=1))
