"""The command `narrascope`.

Subcommands come from the entry points of the group `narrascope.commands`, and only the one that is
asked for is imported: a machine that serves needs nothing of what trains.
"""

import sys
from importlib.metadata import entry_points
from typing import Any

import click

GROUP = "narrascope.commands"


class Commands(click.Group):
    """A group whose commands are found by entry point and loaded when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands."""
        return sorted(point.name for point in entry_points(group=GROUP))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        found = entry_points(group=GROUP, name=cmd_name)
        if not found:
            return None
        try:
            command: click.Command = next(iter(found)).load()
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"'{cmd_name}' needs {error.name}, which is not installed: "
                "run `make setup-training` or install narrascope[training]."
            ) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the names alone: their help would import everything."""
        with formatter.section("Commands"):
            formatter.write_text(", ".join(self.list_commands(ctx)))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="narrascope")
def cli() -> None:
    """Label text with the propaganda narratives that it carries."""


def main(*args: Any, **options: Any) -> None:
    """Run the command; a known error ends it with one sentence and status 1."""
    try:
        cli(*args, **options)
    except Exception as error:
        # Errors of ours carry a sentence for the reader; any other keeps its traceback.
        if not type(error).__module__.startswith(("serving.", "training.")):
            raise
        click.echo(f"narrascope: {error}", err=True)
        sys.exit(1)
