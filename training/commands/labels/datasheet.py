"""The command `labels datasheet`."""

import json
from pathlib import Path

import click

from training import corpus
from training import taxonomy as taxonomies
from training.commands.options import LABELS, TAXONOMY
from training.errors import LabelError
from training.generated import refresh
from training.labels import actors, datasheet, records
from training.labels import split as splits

PAGE = "DATASHEET.md"


@click.command()
@LABELS
@TAXONOMY
@click.option(
    "--shortcuts",
    type=click.Path(path_type=Path),
    default=Path("docs/shortcuts.json"),
    show_default=True,
    help="What `labels shortcuts --json` wrote.",
)
def command(labels: Path, taxonomy: Path, shortcuts: Path) -> None:
    """Make the generated blocks of DATASHEET.md anew, in place."""
    path = labels / PAGE
    try:
        page = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LabelError(f"no datasheet at {path}: {error.strerror}.") from error
    known = taxonomies.load(taxonomy)
    frozen = labels / corpus.SPLIT
    sides = splits.read(frozen) if frozen.exists() else {}
    audit = json.loads(shortcuts.read_bytes()) if shortcuts.exists() else None
    blocks = datasheet.blocks(records.read(labels, known), known, sides, audit, actors.load(labels))
    fresh = refresh(page, blocks)
    path.write_text(fresh, encoding="utf-8")
    click.echo(f"{path}: {'as it was' if fresh == page else 'made anew'}.")
