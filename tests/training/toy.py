"""Toy labels of three made-up narratives that a tiny network can learn in seconds."""

import json
from pathlib import Path

import yaml

from training.taxonomy import Taxonomy

WORDS = {"red-tractors": "red tractor", "blue-boats": "blue boat", "green-trains": "green train"}
OPINIONS = {"for": "is good", "against": "is bad"}


def write_labels(folder: Path, taxonomy: Taxonomy, opinions: dict[str, str] = OPINIONS) -> Path:
    """Write a label folder with a taxonomy file; return the taxonomy's path."""
    (folder / "written").mkdir(parents=True)
    rows = []
    for number in range(20):
        for narrative, words in WORDS.items():
            for stance, opinion in opinions.items():
                text = f"{'the ' * (number % 3)}{words} {number} {opinion}{'!' * (number % 4)}"
                rows.append((text, {narrative: stance}))
        rows.append((f"the {['boat', 'train', 'tractor'][number % 3]} number {number}", {}))
    with (folder / "written" / "en.jsonl").open("w") as lines:
        for index, (text, labels) in enumerate(rows):
            record = {
                "how": "written",
                "id": f"toy-{index}",
                "lang": "en",
                "text": text,
                "labels": labels,
                "register": "post",
                "set": None,
                "annotator": "test",
                "date": "2026-01-01",
            }
            lines.write(json.dumps(record) + "\n")
    sides = {"train": [], "dev": [], "test": []}
    for index in range(len(rows)):
        side = "dev" if index % 5 == 3 else "test" if index % 5 == 4 else "train"
        sides[side].append(f"written:toy-{index}")
    (folder / "split.json").write_text(json.dumps(sides))
    path = folder / "taxonomy.yaml"
    about = taxonomy.model_dump(mode="json")
    about["stances"] = [stance for stance in about["stances"] if stance["id"] in opinions]
    for narrative in about["narratives"]:
        narrative["examples"] = {
            stance: texts for stance, texts in narrative["examples"].items() if stance in opinions
        }
    path.write_text(yaml.safe_dump(about))
    return path
