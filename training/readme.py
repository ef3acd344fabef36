"""The generated blocks of README.md: what the released model answers, how good and fast it is.

Run as `make readme`. The figures are those of `docs/evaluation.json` and `docs/bench/scoring.json`,
the answer is that of the released model to the text of the README's own example.
"""

import json
import re
from pathlib import Path
from typing import Any

import click

from serving.classifier import Classifier, Item
from training.errors import TrainingError
from training.evaluation.parts import REAL, WRITTEN
from training.generated import contents, refresh, table

README, EVALUATION, BENCHMARK = "README.md", "docs/evaluation.json", "docs/bench/scoring.json"
EXAMPLE = re.compile(r"curl [^`]*?-d '(?P<body>\{.*?\})'", re.DOTALL)
FIRST_LANGUAGES = ("en", "ru", "uk", "kk")
FINDINGS_SHOWN = 10

Report = dict[str, Any]


@click.command()
@click.option("--model", type=click.Path(path_type=Path), default=Path("models/current"))
@click.option(
    "--article",
    type=click.Path(path_type=Path),
    help="Text of the article that the README shows; without it that block stays.",
)
def main(model: Path, article: Path | None) -> None:
    """Make the generated blocks of README.md anew, in place."""
    path = Path(README)
    page = path.read_text(encoding="utf-8")
    classifier = Classifier.load(model)
    blocks = {
        **contents(page),
        **measured(
            json.loads(Path(EVALUATION).read_bytes()), json.loads(Path(BENCHMARK).read_bytes())
        ),
        "answer": answer(classifier, page),
    }
    if article:
        blocks["article"] = findings(classifier, article.read_text(encoding="utf-8"))
    path.write_text(refresh(page, blocks), encoding="utf-8")


def measured(evaluation: Report, benchmark: Report) -> dict[str, str]:
    """Return the blocks that follow from committed measurements alone."""
    return {"figures": _figures(evaluation), "speed": _speed(benchmark)}


def answer(classifier: Classifier, page: str) -> str:
    """Return what the model answers to the example of the page, as JSON in a fence.

    Raises:
        TrainingError: the page has no example.
    """
    example = EXAMPLE.search(page)
    if example is None:
        raise TrainingError(f"{README} shows no `curl ... -d '...'` that could be answered.")
    request = json.loads(example["body"])
    said: dict[str, Any] = classifier.predict([Item(request["text"], request.get("id"))])[
        0
    ].as_json()
    lines = [json.dumps(finding, ensure_ascii=False) for finding in said["narratives"]]
    # A finding a line, broken where it would be too long for a page.
    found = ",\n".join("   " + line.replace(', "stance":', ',\n    "stance":') for line in lines)
    parts = [f'"id": {json.dumps(said["id"])}, "language": {json.dumps(said["language"])}']
    parts += [f'"narratives": [\n{found}]', f'"model": {json.dumps(said["model"])}']
    return "```json\n{" + ",\n ".join(parts) + "}\n```"


def findings(classifier: Classifier, text: str) -> str:
    """Return the most confident findings of a text as a table, with how many there are."""
    found = classifier.predict([Item(text.strip())])[0].narratives
    accepted = sum(finding.decision == "accept" for finding in found)
    rows = [
        [
            f"`{finding.narrative}`",
            f"{finding.confidence:.2f}",
            finding.decision,
            f"{finding.stance} {finding.stance_confidence:.2f}",
            f"{finding.begin}-{finding.end}",
        ]
        for finding in found[:FINDINGS_SHOWN]
    ]
    head = ["narrative", "confidence", "decision", "stance", "passage"]
    return (
        f"{len(text.strip()):,} code points: {accepted} findings accepted, "
        f"{len(found) - accepted} sent to review. The most confident:\n\n{table(head, rows)}"
    )


def _figures(evaluation: Report) -> str:
    systems = evaluation["systems"]
    rows = [
        [name, *(_interval(system[key]) for key in _SHOWN.values())]
        for name, system in systems.items()
    ]
    rows[0] = [f"**{cell}**" for cell in rows[0]]
    origins = {part["name"]: part for part in evaluation["slices"]["origin"]}
    languages = {part["name"]: part for part in evaluation["slices"]["language"]}
    neutral = {name: rates["all"] for name, rates in evaluation["neutral"].items()}
    model = systems[evaluation["model"]]
    by_language = ", ".join(
        f"{code} {languages[code]['macro_f1']:.2f}" for code in FIRST_LANGUAGES if code in languages
    )
    facts = [
        f"Real text alone: macro F1 {origins[REAL]['macro_f1']:.2f}; "
        f"written text: {origins[WRITTEN]['macro_f1']:.2f}.",
        f"By language (macro F1): {by_language}.",
        f"Debunks accepted as a claim: {_share(evaluation['debunks_as_claims']['accepted'])}.",
        f"Neutral passages with an accepted finding: {_share(neutral[REAL])} of the real ones, "
        f"{_share(neutral[WRITTEN])} of the written ones.",
        f"Expected calibration error: {model['calibration_error']:.3f} over all decisions, "
        f"{model['calibration_error_of_findings']:.3f} over those at or above 0.05.",
    ]
    return "\n".join(
        [
            f"On {evaluation['data']['sides']['test']:,} held-out passages "
            f"({origins[REAL]['passages']:,} real, {origins[WRITTEN]['passages']:,} written for "
            "the project); 95 % intervals:",
            "",
            table(["system", *_SHOWN], rows),
            "",
            *(f"- {fact}" for fact in facts),
        ]
    )


_SHOWN = {
    "macro F1": "macro_f1",
    "average precision": "average_precision",
    "stance accuracy": "stance_accuracy",
}


def _interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"


def _share(rate: dict[str, float]) -> str:
    return f"{rate['value']:.1%} ({rate['count']} of {rate['total']})"


def _speed(benchmark: Report) -> str:
    rows = [
        [
            row["system"],
            row["passages_per_s"],
            row["passages_per_s_whole_process"],
            f"{row['start_s']} s",
            f"{row['peak_mb']} MB",
        ]
        for row in benchmark["rows"]
    ]
    head = ["", "passages/s", "with start-up", "start-up", "peak memory"]
    rounds = benchmark["rounds"]
    told = "one round" if rounds == 1 else f"medians of {rounds} rounds in turns"
    return (
        f"{benchmark['passages']:,} mixed real passages, {told}, {benchmark['machine']}:\n\n"
        f"{table(head, rows)}"
    )


if __name__ == "__main__":
    main()
