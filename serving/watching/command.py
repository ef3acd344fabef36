"""The command `watch`."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

import click

from serving.classifier import Classifier
from serving.options import MODEL, THREADS
from serving.scoring.flags import ALLOW_PRIVATE, CONTACT, FORMAT, SCORES, WITH_TEXT
from serving.scoring.options import Format, Options
from serving.web.options import Web

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class _Duration(click.ParamType):  # type: ignore[type-arg]
    """A length of time such as 90s, 5m, 2h or 1d, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        found = _LENGTH.fullmatch(value.strip())
        if not found or not float(found[1]):
            self.fail(f"{value!r} is no length of time: write 90s, 5m, 2h or 1d.", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


@click.command()
@click.argument("feeds", metavar="FEEDS...", nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="A folder that grows by a shard for each round with news.",
)
@click.option(
    "--every",
    "every_s",
    type=_Duration(),
    default="5m",
    show_default=True,
    help="Time between two polls of a feed.",
)
@click.option("--rounds", type=click.IntRange(min=1), help="Stop after so many rounds.")
@click.option("--once", is_flag=True, help="Stop after one round.")
@SCORES
@WITH_TEXT
@FORMAT
@click.option(
    "--copies",
    type=click.Choice(["near", "exact"]),
    default="near",
    show_default=True,
    help="Which copies are linked to the first and not scored.",
)
@click.option(
    "--delay",
    "delay_s",
    type=_Duration(),
    default="1s",
    show_default=True,
    help="Least time between two requests to a host.",
)
@ALLOW_PRIVATE
@CONTACT
@click.option("--json", "as_json", is_flag=True, help="Write each round to stdout as JSON.")
@MODEL
@THREADS
def watch(
    feeds: tuple[str, ...],
    out: Path,
    every_s: float,
    rounds: int | None,
    once: bool,
    format_: Format,
    delay_s: float,
    allow_private: bool,
    contact: str | None,
    as_json: bool,
    model: Path,
    threads: int,
    **asked: Any,
) -> None:
    """Poll FEEDS (addresses, or OPML files that list them) and score what is new.

    Goes on where it stopped. Ctrl-C and SIGTERM end it when the shard at hand is written.
    """
    # What asks the web is loaded by those who ask.
    from serving.watching.watch import Pace
    from serving.watching.watch import watch as run

    options = Options(format=format_, **asked)
    web = Web(allow_private=allow_private, contact=contact, delay_s=delay_s)
    pace = Pace(every_s=every_s, rounds=1 if once else rounds)
    classifier = Classifier.load(model, threads=threads)
    with _stopping() as stop:
        for done in run(feeds, out, classifier, pace, options=options, web=web, stop=stop):
            for url, reason in done.failed.items():
                click.echo(f"{url}: {reason}", err=True)
            if as_json:
                click.echo(json.dumps(asdict(done)))
            click.echo(str(done), err=True)


@contextmanager
def _stopping() -> Iterator[Event]:
    """Yield what is set by the signals that ask a process to end."""
    stop = Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in signals}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
