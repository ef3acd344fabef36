"""The command `labels fetch`."""

from pathlib import Path

import click

from training import taxonomy as taxonomies
from training.commands.options import LABELS, SOURCES, TAXONOMY
from training.labels import records
from training.labels import sources as texts
from training.labels.exchange import lines, rows


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSONL to write.")
def command(labels: Path, taxonomy: Path, sources: Path, out: Path) -> None:
    """Write all records with their texts, stand-off ones from their sources, checked by hash."""
    known = taxonomies.load(taxonomy)
    resolved = texts.resolve(records.read(labels, known), sources)
    for key in resolved.changed:
        click.echo(f"{key}: the source's row is gone or has another text.", err=True)
    lines.write(rows.whole(resolved.passages), out, known)
    click.echo(
        f"{out}: {len(resolved.passages)} records with text; left out: "
        f"{len(resolved.without_source)} whose source is not under {sources}, "
        f"{len(resolved.changed)} whose text changed."
    )
