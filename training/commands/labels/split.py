"""The command `labels split`."""

from pathlib import Path

import click

from training import corpus
from training import taxonomy as taxonomies
from training.commands.options import LABELS, SOURCES, TAXONOMY
from training.errors import LabelError
from training.labels import records
from training.labels import sources as texts
from training.labels import split as splits


@click.command()
@LABELS
@TAXONOMY
@SOURCES
def command(labels: Path, taxonomy: Path, sources: Path) -> None:
    """Place new passages in train, dev or test; those that are placed stay, unless labels moved."""
    known = taxonomies.load(taxonomy)
    resolved = texts.resolve(records.read(labels, known), sources)
    if resolved.without_source:
        raise LabelError(
            f"{len(resolved.without_source)} records have no text without their source "
            f"({resolved.without_source[0]}): a split needs all texts; pass --sources DIR."
        )
    path = labels / corpus.SPLIT
    frozen = splits.read(path) if path.exists() else {}
    keys = {passage.key for passage in resolved.passages}
    placed = splits.extend(
        resolved.passages, {key: side for key, side in frozen.items() if key in keys}
    )
    splits.write(placed, path)
    sizes = {side: list(placed.values()).count(side) for side in splits.SHARES}
    click.echo(f"{path}: {sizes}; {len(keys - set(frozen))} new.")
    for leak in splits.leaks(resolved.passages, placed):
        click.echo(leak, err=True)
