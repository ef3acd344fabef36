"""The command `labels export`."""

from pathlib import Path

import click

from training import corpus
from training import taxonomy as taxonomies
from training.commands.labels import formats
from training.commands.options import LABELS, SOURCES, TAXONOMY
from training.errors import LabelError
from training.labels import records
from training.labels import sources as texts
from training.labels import split as splits
from training.labels.exchange import label_studio, rows
from training.labels.sources import Passage, digest


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@click.option("--format", "name", type=click.Choice(formats.NAMES), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File or folder.")
@click.option("--lang", multiple=True, help="Only this language; may be given several times.")
@click.option("--side", type=click.Choice(list(splits.SHARES)), help="Only this side.")
@click.option("--once", is_flag=True, help="Only what one annotator alone has read.")
@click.option("--count", type=click.IntRange(min=1), help="At most so many, by chance.")
@click.option("--seed", default=0, show_default=True, help="Of that chance.")
@click.option("--blind", is_flag=True, help="Text alone, for somebody who reads independently.")
def command(
    labels: Path,
    taxonomy: Path,
    sources: Path,
    name: str,
    out: Path,
    lang: tuple[str, ...],
    side: str | None,
    once: bool,
    count: int | None,
    seed: int,
    blind: bool,
) -> None:
    """Write records with their texts for Label Studio, a spreadsheet or Hugging Face datasets."""
    known = taxonomies.load(taxonomy)
    resolved = texts.resolve(records.read(labels, known), sources)
    path = labels / corpus.SPLIT
    sides = splits.read(path) if path.exists() else {}
    passages = [
        p
        for p in resolved.passages
        if (not lang or p.lang in lang)
        and (not side or sides.get(p.key) == side)
        and not (once and len(p.record.annotations) > 1)
    ]
    if count is not None:
        passages = _drawn(passages, count, seed)
    if not passages:
        raise LabelError("nothing to export: no record has a text and fits the options.")
    formats.write(name, (rows.blind if blind else rows.whole)(passages), out, known, sides)
    click.echo(f"{out}: {len(passages)} passages.")
    if name == "label-studio":
        click.echo(f"{label_studio.interface(out)}: the labelling interface for them.")
    if left_out := len(resolved.without_source) + len(resolved.changed):
        click.echo(
            f"{left_out} records have no text here (`narrascope labels fetch` lists them) "
            "and were left out.",
            err=True,
        )


def _drawn(passages: list[Passage], count: int, seed: int) -> list[Passage]:
    return sorted(passages, key=lambda passage: digest(f"{seed} {passage.key}"))[:count]
