"""Options that the commands share which write rows and ask the web."""

from typing import get_args

import click

from serving.scoring.options import Format

SCORES = click.option("--scores", is_flag=True, help="Also write every narrative's confidence.")
WITH_TEXT = click.option("--with-text", is_flag=True, help="Also write the text that was read.")
FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice(get_args(Format)),
    default="jsonl",
    show_default=True,
    help="Format of the shards.",
)
ALLOW_PRIVATE = click.option(
    "--allow-private", is_flag=True, help="Also fetch from loopback and private addresses."
)
CONTACT = click.option("--contact", help="What servers are told of you, e.g. an address of mail.")
