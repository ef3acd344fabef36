"""Options that commands share."""

from pathlib import Path

import click

from serving.settings import settings

MODEL = click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=lambda: settings().model,
    show_default="models/current",
    help="A released model folder.",
)

THREADS = click.option(
    "--threads",
    type=click.IntRange(min=0),
    default=lambda: settings().threads,
    show_default="0",
    help="Processor threads; 0 takes all.",
)
