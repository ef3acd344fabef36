"""Commands on labels, one file each; only the one that is called is imported."""

from importlib import import_module

import click

COMMANDS = {
    "check": "check",
    "stats": "stats",
    "agreement": "agreement",
    "split": "split",
    "fetch": "fetch",
    "export": "export",
    "import": "import_",
    "suspects": "suspects",
    "next": "next_",
    "shortcuts": "shortcuts",
    "datasheet": "datasheet",
}
"""Name -> module of this package; the module's `command` is the command."""


class _Commands(click.Group):
    """Some commands load torch or pyarrow; those that count labels should not wait for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{COMMANDS[cmd_name]}").command
        return command


@click.group(cls=_Commands)
def labels() -> None:
    """Check, count, exchange and improve labels."""
