"""The command `score`."""

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast, get_args

import click
from tqdm import tqdm

from serving.classifier import LONGEST, Classifier
from serving.errors import ServingError
from serving.options import MODEL, THREADS
from serving.scoring.columns import Columns
from serving.scoring.destination import Destination
from serving.scoring.engines import Engine
from serving.scoring.engines.local import Local
from serving.scoring.flags import ALLOW_PRIVATE, CONTACT, FORMAT, SCORES, WITH_TEXT
from serving.scoring.limits import SOURCE_BYTES, Limits
from serving.scoring.manifest import Totals
from serving.scoring.options import CopiesMode, Format, Options
from serving.scoring.partitions import Partition
from serving.scoring.run import score as run
from serving.web.options import Web

EngineName = Literal["local", "ray"]


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A .jsonl file, or a folder for shards; a run that was stopped goes on there.",
)
@SCORES
@click.option("--explain", is_flag=True, help="Also write which words carried each finding.")
@WITH_TEXT
@FORMAT
@click.option(
    "--partition",
    type=click.Choice(get_args(Partition)),
    help="Spread the shards over folders such as day=2026-01-05/lang=ru.",
)
@click.option(
    "--copies",
    type=click.Choice(get_args(CopiesMode)),
    help="near, exact: link such copies to the first and do not score them; score: score all. "
    "Else near, or score where one JSONL or text file goes to one file.",
)
@click.option("--text-column", help="Column or field of the text.")
@click.option("--id-column", help="Column or field of the id.")
@click.option("--date-column", help="Column or field of the date.")
@click.option("--lang-column", help="Column or field of the language that the source states.")
@click.option(
    "--max-source-bytes",
    type=click.IntRange(min=1),
    default=SOURCE_BYTES,
    show_default=True,
    help="Bytes of a source, decompressed.",
)
@click.option(
    "--max-characters",
    type=click.IntRange(1, LONGEST),
    default=LONGEST,
    show_default=True,
    help="Code points of a record.",
)
@click.option(
    "--shard-records",
    type=click.IntRange(min=1),
    default=Options().shard_records,
    show_default=True,
    help="Records of a shard, which is what a stop may cost.",
)
@ALLOW_PRIVATE
@CONTACT
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(get_args(EngineName)),
    default="local",
    show_default=True,
    help="local: score in this process; ray: on the machines of a Ray cluster.",
)
@click.option(
    "--address",
    help="The cluster's host:port; else auto, the one that this machine is in.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the totals to stdout as JSON.")
@MODEL
@THREADS
def score(
    sources: tuple[str, ...],
    out: Path,
    as_json: bool,
    model: Path,
    threads: int,
    allow_private: bool,
    contact: str | None,
    engine_name: EngineName,
    address: str | None,
    **asked: Any,
) -> None:
    """Label the texts of files, folders, globs, fsspec addresses or pages of the web.

    Takes JSONL ({"id", "text"}), CSV, TSV, Parquet, Arrow, WARC, plain text, HTML, RSS and Atom,
    as they are or in gzip, zstd, bzip2 or xz, and OPML or sitemaps that list such sources.
    """
    engine = _engine(engine_name, model, threads, address)
    totals = Totals()
    options = _options(**asked)
    web = Web(allow_private=allow_private, contact=contact)
    with tqdm(unit=" texts", disable=not sys.stderr.isatty()) as bar:
        for totals in run(sources, out, engine, options, web=web, tell=_tell):
            bar.update(totals.read - bar.n)
            bar.set_postfix(rejected=totals.rejected)
    rejects = Destination.at(out, options.format).rejects
    if as_json:
        found = {"out": str(out), "rejects": str(rejects) if totals.rejected else None}
        click.echo(json.dumps({**asdict(totals), **found, "model": engine.model.name}))
    told = f"; rejects in {rejects}" if totals.rejected else ""
    click.echo(f"{totals}; {out}{told}", err=True)


def _engine(name: EngineName, model: Path, threads: int, address: str | None) -> Engine:
    if name == "local":
        if address is not None:
            raise click.UsageError("--address is for --engine ray.")
        return Local(Classifier.load(model, threads=threads))
    try:
        cluster = import_module("serving.scoring.engines.cluster")
    except ModuleNotFoundError as error:
        raise ServingError(
            f"--engine ray needs {error.name}, which is not installed: "
            "install narrascope[cluster], here and on the cluster's machines."
        ) from error
    engine = cluster.Cluster(model, address=address or "auto", threads=threads)
    return cast(Engine, engine)


def _options(
    *,
    text_column: str | None,
    id_column: str | None,
    date_column: str | None,
    lang_column: str | None,
    max_source_bytes: int,
    max_characters: int,
    format_: Format,
    **others: Any,
) -> Options:
    return Options(
        columns=Columns(text=text_column, id=id_column, date=date_column, language=lang_column),
        limits=Limits(source_bytes=max_source_bytes, characters=max_characters),
        format=format_,
        **others,
    )


def _tell(sentence: str) -> None:
    # Written past the bar, which would be torn otherwise.
    tqdm.write(sentence, file=sys.stderr)
