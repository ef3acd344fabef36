"""The command `labels next`."""

from pathlib import Path

import click

from serving.classifier import Classifier
from training import taxonomy as taxonomies
from training.commands.labels import formats
from training.commands.options import LABELS, MODEL, SOURCES, TAXONOMY
from training.errors import LabelError
from training.labels import candidates, records
from training.labels import sources as texts
from training.labels.sources import digest


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@MODEL
@click.option("--count", type=click.IntRange(min=1), default=100, show_default=True)
@click.option(
    "--lang",
    "languages",
    multiple=True,
    metavar="CODE[=COUNT]",
    help="Only this language, and how many of it; else --count is shared out evenly.",
)
@click.option(
    "--look-at",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Rows of each language that the model reads, drawn by chance.",
)
@click.option("--seed", default=0, show_default=True, help="Of that chance.")
@click.option(
    "--format",
    "name",
    type=click.Choice([n for n in formats.NAMES if n != formats.DATASETS]),
    help="Else by the ending of --out.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
def command(
    labels: Path,
    taxonomy: Path,
    sources: Path,
    model: Path,
    count: int,
    languages: tuple[str, ...],
    look_at: int,
    seed: int,
    name: str | None,
    out: Path,
) -> None:
    """Choose unlabelled rows of the sources that are worth reading next.

    What is written shows nothing of the model's guess. Fill in `labels` and pass it to `import`.
    """
    known = taxonomies.load(taxonomy)
    form = name or formats.of(out)
    wanted = dict(_wanted(language) for language in languages)
    good, problems = records.check(labels, known)
    if problems:
        raise LabelError("\n".join(problems))
    rows = candidates.unlabelled(sources, good, set(wanted))
    codes = list(wanted) or sorted({passage.lang for passage in rows})
    share, rest = divmod(count, max(1, len(codes)))
    quotas = {
        code: wanted.get(code) or share + (number < rest) for number, code in enumerate(codes)
    }
    drawn = [
        passage
        for code in codes
        if quotas[code]
        for passage in sorted(
            (p for p in rows if p.lang == code), key=lambda p: digest(f"{seed} {p.key}")
        )[:look_at]
    ]
    rated = candidates.rate(Classifier.load(model), drawn)
    chosen = candidates.choose(rated, texts.resolve(good, sources).passages, quotas)
    if not chosen:
        raise LabelError(f"nothing to choose: {sources} holds no unlabelled row of {codes}.")
    formats.write(form, [c.as_row() for c in chosen], out, known, {})
    click.echo(f"{out}: {len(chosen)} of {len(drawn)} rows read, of {len(rows)} unlabelled.")


def _wanted(language: str) -> tuple[str, int | None]:
    code, _, number = language.partition("=")
    if number and not (number.isdecimal() and int(number)):
        raise LabelError(f"--lang {language}: write CODE or CODE=COUNT, such as uk=40.")
    return code, int(number) if number else None
