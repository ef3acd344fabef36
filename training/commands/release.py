"""The command `release`."""

import sys
from pathlib import Path

import click

from serving.model_folder import open_folder
from training import corpus as corpora
from training import promote
from training.commands.options import LABELS, SOURCES, TAXONOMY
from training.corpus import Corpus
from training.errors import TrainingError
from training.evaluation.measured import measure
from training.verdict import MARGIN, RISE, SUPPORT, judge


@click.command(
    help="Release CANDIDATE, a model folder, if it is better than the current one on the held-out "
    "labels: the 95 % interval of its gain in macro F1 lies above 0, no language and no narrative "
    f"with {SUPPORT} passages or more loses more F1 than --margin, and neither debunks accepted as "
    f"claims nor accepted findings in neutral text rise by more than {RISE:.0%}."
)
@click.argument("candidate", type=click.Path(path_type=Path), required=False)
@LABELS
@TAXONOMY
@SOURCES
@click.option(
    "--models",
    type=click.Path(path_type=Path),
    default=Path("models"),
    show_default=True,
    help="The folder of all releases, with the link `current`.",
)
@click.option("--name", help="Of the release; else the candidate's folder name.")
@click.option("--margin", type=click.FloatRange(0, 1), default=MARGIN, show_default=True)
@click.option(
    "--force-with-reason",
    metavar="REASON",
    help="Release what would be refused; the refusals and the reason are kept in the manifest.",
)
@click.option("--rollback", is_flag=True, help="Go back to the model that was current before.")
def release(
    candidate: Path | None,
    labels: Path,
    taxonomy: Path,
    sources: Path,
    models: Path,
    name: str | None,
    margin: float,
    force_with_reason: str | None,
    rollback: bool,
) -> None:
    """Compare, refuse or release, or go back."""
    if rollback:
        click.echo(f"{models / promote.CURRENT} -> {promote.rollback(models)}")
        return
    if candidate is None:
        raise click.UsageError("Name the model folder to release, or pass --rollback.")
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    refusals, record = _compared(candidate, corpus, models, margin)
    if refusals:
        click.echo("Refused: " + ";\n".join(refusals) + ".", err=True)
        if not force_with_reason:
            sys.exit(1)
        click.echo(f"Released all the same: {force_with_reason}", err=True)
        record["reason"] = force_with_reason
    target = promote.promote(candidate, models, name or candidate.resolve().name, record)
    click.echo(f"{models / promote.CURRENT} -> {target.name}")


def _compared(
    candidate: Path, corpus: Corpus, models: Path, margin: float
) -> tuple[list[str], dict[str, object]]:
    """Return the refusals and what the manifest keeps; the table goes to the terminal."""
    manifest = open_folder(candidate)
    if manifest.data.get("fingerprint") != corpus.describe()["fingerprint"]:
        raise TrainingError(
            f"{candidate} was made of other labels or with another split than those given now: "
            "what it was trained on could be among what it is measured on. Train again."
        )
    current = promote.current(models)
    if current is None:
        return [], {"before": None}
    verdict = judge(measure(candidate, corpus), measure(current, corpus), corpus.taxonomy, margin)
    click.echo(verdict.as_table())
    return verdict.refusals, verdict.as_json()
