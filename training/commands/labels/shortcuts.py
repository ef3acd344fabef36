"""The command `labels shortcuts`."""

import json
from pathlib import Path

import click

from training import corpus as corpora
from training.commands.options import LABELS, SOURCES, TAXONOMY
from training.labels import shortcuts
from training.labels import split as splits


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@click.option(
    "--side",
    "sides",
    type=click.Choice(list(splits.SHARES)),
    multiple=True,
    default=("train", "dev"),
    show_default=True,
    help="Sides to look at; may be given several times.",
)
@click.option(
    "--json",
    "out",
    type=click.Path(path_type=Path),
    help="Also write it here; the datasheet reads docs/shortcuts.json.",
)
def command(
    labels: Path, taxonomy: Path, sources: Path, sides: tuple[str, ...], out: Path | None
) -> None:
    """Tell what can be predicted from the wrong signal: length, source, names, single words."""
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    passages = [passage for side in sides for passage in corpus.side(side)]
    found = {"sides": list(sides), **shortcuts.audit(passages, corpus.taxonomy)}
    click.echo(shortcuts.markdown(found))
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
