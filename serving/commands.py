"""Commands of serving: `serve`, `score`, `watch`, `report` and `keys`."""

from pathlib import Path

import click

from serving import keys
from serving.errors import ServingError
from serving.http.access import is_loopback
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.tracing import tracing
from serving.model_folder import open_folder
from serving.options import MODEL, THREADS
from serving.report.command import report
from serving.scoring.command import score
from serving.settings import settings
from serving.watching.command import watch

__all__ = ["api_keys", "report", "score", "serve", "watch"]


@click.command()
@MODEL
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on.",
)
@THREADS
@click.option(
    "--without-keys",
    is_flag=True,
    help="Let everybody in who can reach the address, if there are no keys.",
)
def serve(model: Path, host: str, port: int, threads: int, without_keys: bool) -> None:
    """Serve a model over HTTP."""
    # Checked here as well as at start, so that a bad folder is one sentence and no traceback.
    open_folder(model)
    chosen = settings().model_copy(update={"model": model, "threads": threads})
    if not (is_loopback(host) or without_keys or keys.read(chosen.keys)):
        raise ServingError(
            f"{host} can be reached by others, and {chosen.keys} has no keys: "
            "run `narrascope keys mint`, or pass --without-keys."
        )
    with tracing():
        Server(create_app(chosen), chosen, host=host, port=port).run()


@click.group("keys")
@click.option(
    "--keys",
    "path",
    type=click.Path(path_type=Path),
    default=lambda: settings().keys,
    show_default="keys.json",
    help="The file of keys.",
)
@click.pass_context
def api_keys(context: click.Context, path: Path) -> None:
    """Mint, list and revoke the keys of the HTTP service; a running one sees it at once."""
    context.obj = path


@api_keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(keys.SCOPES),
    multiple=True,
    default=["classify"],
    show_default=True,
    help="What the key is for; may be given more than once.",
)
@click.option("--per-minute", type=click.IntRange(min=1), help="Texts a minute; else no limit.")
@click.pass_obj
def mint(path: Path, name: str, scopes: tuple[keys.Scope, ...], per_minute: int | None) -> None:
    """Make a key for NAME and show it, this once."""
    click.echo(keys.mint(path, name, list(scopes), per_minute))
    click.echo(f"only its hash is kept, in {path}: note the key now", err=True)


@api_keys.command("list")
@click.pass_obj
def list_keys(path: Path) -> None:
    """List the keys by id."""
    for key in keys.read(path):
        rate = f"{key.per_minute}/min" if key.per_minute else "no limit"
        click.echo(f"{key.id}  {key.created}  {','.join(key.scopes)}  {rate}  {key.name}")


@api_keys.command()
@click.argument("key_id", metavar="ID")
@click.pass_obj
def revoke(path: Path, key_id: str) -> None:
    """Take the key ID back."""
    keys.revoke(path, key_id)
