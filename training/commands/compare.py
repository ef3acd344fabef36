"""The command `compare`."""

import json
from pathlib import Path

import click

from training import corpus as corpora
from training.commands.options import LABELS, SOURCES, TAXONOMY
from training.errors import TrainingError
from training.evaluation import comparison
from training.generated import refresh


@click.command()
@click.argument("models", nargs=-1, required=True, type=click.Path(path_type=Path))
@LABELS
@TAXONOMY
@SOURCES
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Put the tables into the generated block `comparison` of this page instead of the "
    "terminal; the figures for machines go beside it, as .json.",
)
def compare(
    models: tuple[Path, ...], labels: Path, taxonomy: Path, sources: Path, page: Path | None
) -> None:
    """Measure MODELS beside each other on dev and on the held-out labels, paired with the first."""
    if len({model.resolve().name for model in models}) < len(models):
        raise TrainingError("two of the models have one name: give them different folder names.")
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    found = comparison.beside(models, corpus)
    if page is None:
        click.echo(comparison.page(found), nl=False)
        return
    blocks = {"comparison": comparison.page(found)}
    page.write_text(refresh(page.read_text(encoding="utf-8"), blocks), encoding="utf-8")
    page.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    click.echo(page)
