"""The command `evaluate`."""

import json
from pathlib import Path
from typing import Any

import click

from training import baselines as baseline_systems
from training import corpus as corpora
from training.commands.options import BASE, LABELS, MODEL, SOURCES, TAXONOMY
from training.evaluation import markdown, plots, report
from training.evaluation.explanations import faithfulness
from training.evaluation.fp32 import unquantised
from training.evaluation.measured import measure
from training.evaluation.neutral import false_alarms
from training.evaluation.robustness import robustness as measure_robustness
from training.recipe import Recipe
from training.run import open_base


@click.command()
@LABELS
@TAXONOMY
@SOURCES
@BASE
@MODEL
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for evaluation.md, evaluation.json and evaluation/*.png; without it the page is "
    "printed.",
)
@click.option("--baselines/--no-baselines", default=True, help="Measure the baselines as well.")
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    help="The run that the model was made of: measures what eight bits cost.",
)
@click.option(
    "--neutral",
    multiple=True,
    metavar="SOURCE",
    help="A source of --sources whose texts carry no narrative; may be given again.",
)
@click.option("--robustness", is_flag=True, help="Measure what changes of the text cost.")
@click.option(
    "--explanations", is_flag=True, help="Measure whether the words that are named matter."
)
def evaluate(
    labels: Path,
    taxonomy: Path,
    sources: Path,
    base: str,
    model: Path,
    out: Path | None,
    baselines: bool,
    run: Path | None,
    neutral: tuple[str, ...],
    robustness: bool,
    explanations: bool,
) -> None:
    """Measure a model folder on the held-out labels, beside two baselines on the same split."""
    corpus = corpora.load(labels, taxonomy, sources)
    if left_out := corpus.left_out():
        click.echo(left_out, err=True)
    measured = measure(model, corpus)
    systems = []
    if run:
        systems.append(unquantised(measured, run, corpus))
    if baselines:
        sides = {side: corpus.side(side) for side in ("train", "dev", "test")}
        systems.append(baseline_systems.tfidf(sides, corpus.taxonomy))
        frozen = open_base(base, Recipe())
        systems.append(baseline_systems.frozen_encoder(sides, corpus.taxonomy, frozen))
    parts: dict[str, Any] = {
        "neutral_sources": {
            source: false_alarms(measured, corpus, sources, source) for source in neutral
        }
    }
    if robustness:
        parts["robustness"] = measure_robustness(measured, corpus.taxonomy.stance_ids)
    if explanations:
        parts["explanations"] = faithfulness(measured)
    found = report.evaluate(measured, systems, corpus, **parts)
    if out is None:
        click.echo(markdown.page(found), nl=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    drawn = plots.draw(found, out / "evaluation")
    (out / "evaluation.md").write_text(markdown.page(found, drawn), encoding="utf-8")
    (out / "evaluation.json").write_text(
        json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    click.echo(f"{out}/evaluation.md")
