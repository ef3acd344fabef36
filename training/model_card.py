"""The model card of a released folder, generated from its manifest."""

import json
from pathlib import Path
from typing import Any

from serving.model_folder import MANIFEST

CARD = "README.md"


def write_card(folder: Path) -> None:
    """Write `README.md` into a model folder; every number in it comes from the manifest."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / CARD).write_text(_text(manifest), encoding="utf-8")


def _text(m: dict) -> str:  # type: ignore[type-arg]
    data, metrics, recipe = m["data"], m["metrics"], m["training"]["recipe"]
    languages = ", ".join(f"{code} {count}" for code, count in m["languages"].items())
    thresholds = "\n".join(
        f"| `{name}` | {rule['accept']:.2f} | {rule['review']:.2f} |"
        for name, rule in m["decisions"].items()
    )

    return f"""# {m["name"]}

Labels passages of text with {len(m["narratives"])} propaganda narratives and the stance that the
passage takes to each. Taxonomy {m["taxonomy_version"]}; made {m["created"]}. This card is
generated from `manifest.json`.

## What it is for, and what it is not

It finds and explains claims in text, for people who check them. It does not judge whether a
person lies, it does not know whether a claim is true, and its findings are no ground for measures
against anyone. Findings marked `review` are to be read by a person.

## How it was made

- Base: {m["base"]["name"]}, weights sha256 `{m["base"]["sha256"][:16]}...`.
- Labels: {data["passages"]} passages, {data["stand_off"]} of them real text and {data["written"]}
  written for the project; {data["sides"].get("train", 0)} trained it, {data["sides"].get("dev", 0)}
  calibrated it, {data["sides"].get("test", 0)} were held out. Fingerprint
  `{data["fingerprint"][:16]}...`. The labels were made by language-model annotators
  (`data/labels/README.md`), not by people.
- Languages of the training side (passages): {languages}.
- {recipe["epochs"]} epochs, {m["training"]["steps"]} steps, {m["training"]["seconds"]} s,
  {recipe["precision"]}; {_seeds(m["training"])}.
- Released as eight-bit OpenVINO graph with a four-bit embedding table.

{_figures(metrics)}

{_promise(m["training"])}{_release(m["training"])}## Thresholds on the calibrated probability

| narrative | accept | review |
|---|---|---|
{thresholds}

A finding is accepted only if its stance is sure too:
{", ".join(f"{name} {value:.2f}" for name, value in m["stance"]["accept"].items())}.
"""


def _figures(metrics: dict) -> str:  # type: ignore[type-arg]
    if not metrics:
        return """## Figures

Not measured with these thresholds: `narrascope evaluate --model` with this folder does it."""

    def figure(name: str) -> str:
        f = metrics[name]
        return f"{f['value']:.3f} [{f['low']:.3f}, {f['high']:.3f}]"

    return f"""## Figures on the held-out side ({metrics["test_passages"]} passages, 95 % intervals)

| figure | value |
|---|---|
| macro F1 of the narratives | {figure("macro_f1")} |
| micro F1 | {figure("micro_f1")} |
| mean average precision | {figure("average_precision")} |
| accuracy of the stance, where a narrative is | {figure("stance_accuracy")} |
| expected calibration error, all pairs | {metrics["calibration_error"]:.4f} |
| the same, pairs at or above 0.05 | {metrics["calibration_error_of_findings"]:.4f} |

By language (macro F1, languages with at least 30 passages that carry a narrative):
{", ".join(f"{code} {value:.3f}" for code, value in metrics["macro_f1_by_language"].items())}."""


def _seeds(training: dict[str, Any]) -> str:
    seeds = training.get("seeds")
    if seeds is None:
        return f"seed {training['recipe']['seed']}"
    return f"the mean of {len(seeds)} runs with seeds {', '.join(map(str, seeds))}"


def _promise(training: dict) -> str:  # type: ignore[type-arg]
    if not (promise := training.get("recalibrated")):
        return ""
    return f"""## What is promised

The weights are those of {promise["of"]}. Calibration and thresholds were refitted on
{promise["fitted_on"]} labelled passages and tested on {promise["tested_on"]} others: with
confidence {1 - promise["delta"]:.0%}, at most {promise["risk"]:.1%} of the accepted findings are
wrong (no such narrative in the passage, or another stance). Of {promise["drawn"]} findings, one
drawn of each group of passages, {promise["wrong"]} were. It holds for texts that are drawn like
the labelled ones (`docs/calibration.md`).

"""


def _release(training: dict) -> str:  # type: ignore[type-arg]
    record = training.get("released")
    if not (record and record["before"]):
        return ""
    gain = record["macro_f1"]
    lines = [
        "## Release",
        "",
        f"Released over {record['before']}: on the same held-out passages macro F1 differs by "
        f"{gain['value']:.3f} [{gain['low']:.3f}, {gain['high']:.3f}] (paired).",
    ]
    if record["refusals"]:
        lines += ["", f"It would have been refused, and was released because: {record['reason']}"]
        lines += ["", *(f"- {refusal}" for refusal in record["refusals"])]
    return "\n".join([*lines, "", ""])
