"""Commands on labels: `check`, `stats`, `split`."""

import json
import sys
from pathlib import Path

import click

from training import corpus
from training import taxonomy as taxonomies
from training.commands.options import LABELS, SOURCES, TAXONOMY
from training.errors import LabelError
from training.labels import records
from training.labels import sources as texts
from training.labels import split as splits
from training.labels import stats as statistics


@click.group()
def labels() -> None:
    """Check, count and split label files."""


@labels.command()
@LABELS
@TAXONOMY
@SOURCES
def check(labels: Path, taxonomy: Path, sources: Path) -> None:
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


@labels.command()
@LABELS
@TAXONOMY
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def stats(labels: Path, taxonomy: Path, as_json: bool) -> None:
    """Count records by origin, language, narrative and stance, and agreement where read twice."""
    known = taxonomies.load(taxonomy)
    counted = statistics.count(records.read(labels, known), known)
    click.echo(json.dumps(counted.as_json(), indent=1) if as_json else counted.as_table())


@labels.command()
@LABELS
@TAXONOMY
@SOURCES
def split(labels: Path, taxonomy: Path, sources: Path) -> None:
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
