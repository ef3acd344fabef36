"""The command `train`."""

import json
from pathlib import Path

import click

from training import corpus as corpora
from training import run as runs
from training.commands.options import BASE, LABELS, SOURCES, TAXONOMY
from training.recipe import Recipe


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@BASE
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    default=Path("runs/latest"),
    show_default=True,
    help="Folder of the run; a killed run in it goes on.",
)
@click.option("--epochs", type=int, help="Passes over the training side.")
@click.option("--batch", type=int, help="Passages of a step.")
@click.option("--learning-rate", type=float, help="Of the encoder.")
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    help="Train on this share of the groups, for a learning curve.",
)
@click.option("--seed", type=int, help="Of order, dropout and perturbations.")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), help="Arithmetic.")
def train(
    labels: Path, taxonomy: Path, sources: Path, base: str, run: Path, **changes: object
) -> None:
    """Fine-tune an encoder on labelled passages."""
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    history = runs.start(run, corpus, base, Recipe().with_(**changes))
    click.echo(json.dumps(history))
