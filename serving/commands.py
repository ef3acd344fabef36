"""Commands of serving: `serve` and `score`."""

import sys
from pathlib import Path

import click
import uvicorn
from tqdm import tqdm

from serving import feed
from serving.classifier import Classifier
from serving.http.app import create_app
from serving.model_folder import open_folder
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
    default=0,
    show_default=True,
    help="Processor threads; 0 takes all.",
)


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
def serve(model: Path, host: str, port: int, threads: int) -> None:
    """Serve a model over HTTP."""
    # Checked here as well as at start, so that a bad folder is one sentence and no traceback.
    open_folder(model)
    chosen = settings().model_copy(update={"model": model, "threads": threads})
    uvicorn.run(create_app(chosen), host=host, port=port, log_level="info", access_log=False)


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where to write.")
@click.option("--scores", is_flag=True, help="Also write every narrative's confidence.")
@click.option("--explain", is_flag=True, help="Also write which words carried each finding.")
@MODEL
@THREADS
def score(source: Path, out: Path, scores: bool, explain: bool, model: Path, threads: int) -> None:
    """Label the lines ({"id", "text"}) of a JSONL file, or the whole of a .txt file."""
    classifier = Classifier.load(model, threads=threads)
    tally = feed.Tally()
    total = None if source.suffix == ".txt" or not source.is_file() else feed.count(source)
    with tqdm(total=total, unit=" texts", disable=not sys.stderr.isatty()) as bar:
        for tally in feed.score(source, out, classifier, scores=scores, explain=explain):
            bar.update(tally.read - bar.n)
            bar.set_postfix(rejected=tally.rejected)
    summary = f"read {tally.read} = scored {tally.scored} + rejected {tally.rejected}; {out}"
    if tally.rejected:
        summary += f"; rejects in {feed.rejects_path(out)}"
    click.echo(summary, err=True)
