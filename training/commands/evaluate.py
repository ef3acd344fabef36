"""The command `evaluate`."""

import json
from pathlib import Path

import click

from training import baselines as baseline_systems
from training import corpus as corpora
from training import release, report
from training.commands.options import BASE, LABELS, MODEL, SOURCES, TAXONOMY
from training.recipe import Recipe
from training.run import open_base


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@BASE
@MODEL
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for evaluation.md and evaluation.json; without it the report is printed.",
)
@click.option("--baselines/--no-baselines", default=True, help="Measure the baselines as well.")
def evaluate(
    labels: Path,
    taxonomy: Path,
    sources: Path,
    base: str,
    model: Path,
    out: Path | None,
    baselines: bool,
) -> None:
    """Measure a model folder on the held-out labels, beside two baselines on the same split."""
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    measured = release.measure(model, corpus)
    systems = []
    if baselines:
        sides = {side: corpus.side(side) for side in ("train", "dev", "test")}
        systems.append(baseline_systems.tfidf(sides, corpus.taxonomy))
        frozen = open_base(base, Recipe())
        systems.append(baseline_systems.frozen_encoder(sides, corpus.taxonomy, frozen))
    found = report.evaluate(measured, systems, corpus)
    text = report.markdown(found)
    if out is None:
        click.echo(text)
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / "evaluation.md").write_text(text, encoding="utf-8")
    (out / "evaluation.json").write_text(
        json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    click.echo(f"{out}/evaluation.md")
