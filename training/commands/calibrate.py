"""The command `calibrate`."""

from pathlib import Path

import click

from training import corpus as corpora
from training import recalibrate
from training.commands.options import MODEL, SOURCES, TAXONOMY


@click.command()
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    required=True,
    help="A folder of your own label files (*.jsonl); of one with a split, the side dev is taken.",
)
@TAXONOMY
@SOURCES
@MODEL
@click.option(
    "--risk",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of the accepted findings that may be wrong.",
)
@click.option(
    "--delta",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=recalibrate.DELTA,
    show_default=True,
    help="Chance that the promise is false.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Model folder to write."
)
def calibrate(
    labels: Path, taxonomy: Path, sources: Path, model: Path, risk: float, delta: float, out: Path
) -> None:
    """Refit calibration and thresholds on your own labels, with a promise; nothing is trained."""
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    split = (labels / corpora.SPLIT).exists()
    promise = recalibrate.recalibrate(
        model,
        corpus.side("dev") if split else corpus.passages,
        corpus.taxonomy,
        limit=risk,
        final=out,
        delta=delta,
    )
    click.echo(
        f"{out}: accepts from {promise['level']:.2f} on. With confidence {1 - delta:.0%}, at most "
        f"{risk:.1%} of the accepted findings are wrong (no such narrative, or another stance): "
        f"{promise['wrong']} of {promise['drawn']} were, one drawn of each group of passages.\n"
        f"{ASSUMPTIONS}"
    )


ASSUMPTIONS = (
    "This holds for texts like the labelled ones: drawn the same way, cut to the same length, from "
    "the same sources and time, and labelled rightly. When what you monitor changes, label anew. "
    "See docs/calibration.md."
)
