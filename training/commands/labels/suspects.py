"""The command `labels suspects`."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from training import baselines
from training import corpus as corpora
from training.commands.options import BASE, LABELS, SOURCES, TAXONOMY
from training.fine_tune import load_encoder
from training.labels import split as splits
from training.labels import suspects
from training.labels.sources import Passage
from training.recipe import Recipe
from training.run import open_base

DIRECTIONS = 200


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@BASE
@click.option(
    "--features",
    type=click.Choice(["encoder", "tfidf"]),
    default="encoder",
    show_default=True,
    help="What the model sees: embeddings of the frozen base, or words and character n-grams.",
)
@click.option(
    "--side",
    "sides",
    type=click.Choice(list(splits.SHARES)),
    multiple=True,
    default=("train", "dev"),
    show_default=True,
    help="Sides to look at; may be given several times.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSONL to write.")
def command(
    labels: Path,
    taxonomy: Path,
    sources: Path,
    base: str,
    features: str,
    sides: tuple[str, ...],
    out: Path,
) -> None:
    """List likely label errors, the surest first: superfluous, missing, and of another stance."""
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    passages = [passage for side in sides for passage in corpus.side(side)]
    found = suspects.find(passages, _features(passages, features, base), corpus.taxonomy)
    with out.open("w", encoding="utf-8", newline="\n") as lines:
        for suspect in found:
            row = {"side": corpus.split[suspect.passage.key], **suspect.as_json()}
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    kinds = Counter(suspect.kind for suspect in found)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "none"
    click.echo(f"{out}: {len(found)} suspects in {len(passages)} passages ({told}).")


def _features(passages: list[Passage], kind: str, base: str) -> Any:
    texts = baselines.normalised(passages)
    if kind == "tfidf":
        # Fitted on all texts: how words spread over texts tells nothing of labels left out. The
        # two hundred strongest directions (latent semantic analysis) fit in seconds, not hours.
        weights = baselines.words_and_letters().fit_transform(texts)
        width = min(DIRECTIONS, weights.shape[0] - 1, weights.shape[1] - 1)
        return normalize(TruncatedSVD(width, random_state=0).fit_transform(weights))
    opened = open_base(base, Recipe())
    return baselines.embed(load_encoder(opened.folder).eval(), opened, texts)
