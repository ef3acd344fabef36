"""The released model: what the README shows is what it answers, and its folder is as promised."""

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tokenizers import Tokenizer

from serving.http.app import create_app
from serving.model_folder import LARGEST_BYTES, TOKENIZER, open_folder
from serving.settings import Settings
from serving.tokens import Tokens
from training import taxonomy

RELEASED = Path("models/current")


def test_the_folder_is_whole_small_and_without_pickle() -> None:
    manifest = open_folder(RELEASED)
    files = list(RELEASED.iterdir())
    assert sum(file.stat().st_size for file in files) <= LARGEST_BYTES
    assert {file.name for file in files} == {*manifest.files, "manifest.json", "README.md"}
    assert {file.suffix for file in files} <= {".bin", ".json", ".md", ".safetensors", ".xml"}
    assert manifest.name == RELEASED.resolve().name


def test_the_model_tells_the_taxonomy_of_the_repository() -> None:
    codebook = taxonomy.load(Path("data/labels/taxonomy.yaml"))
    manifest = open_folder(RELEASED)
    assert [label.id for label in manifest.narratives] == codebook.narrative_ids
    assert manifest.taxonomy_version == codebook.version


def test_the_readme_shows_the_real_answer() -> None:
    readme = Path("README.md").read_text(encoding="utf-8")
    found = re.search(r"curl .*?-d '(.*?)'\n```\n.*?```json\n(.*?)\n```", readme, re.DOTALL)
    assert found is not None
    with TestClient(create_app(Settings(model=RELEASED))) as client:
        answer = client.post("/v1/classify", json=json.loads(found[1])).json()
    shown = json.loads(found[2])
    assert _without_probabilities(answer) == _without_probabilities(shown)
    for one, other in zip(answer["narratives"], shown["narratives"], strict=True):
        # Processors round differently in eight bits.
        assert one["confidence"] == pytest.approx(other["confidence"], abs=0.1)
        assert one["stance_confidence"] == pytest.approx(other["stance_confidence"], abs=0.1)


def _without_probabilities(answer: dict) -> dict:
    left_out = ("confidence", "stance_confidence")
    findings = [
        {key: value for key, value in finding.items() if key not in left_out}
        for finding in answer["narratives"]
    ]
    return {**answer, "narratives": findings}


def test_every_written_passage_has_the_ids_that_the_library_gives_it() -> None:
    # The special pieces are shielded from text; nothing else may change by it.
    library = Tokenizer.from_file(str(RELEASED / TOKENIZER))
    library.no_truncation()
    library.no_padding()
    manifest = open_folder(RELEASED)
    tokens = Tokens(RELEASED / TOKENIZER, prefix=manifest.reading.prefix, limit=10_000)
    texts = [
        json.loads(line)["text"]
        for file in sorted(Path("data/labels/written").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    assert len(texts) > 1000
    framed = [manifest.reading.prefix + text for text in texts]
    assert tokens.encode(texts) == [found.ids for found in library.encode_batch(framed)]


@pytest.mark.parametrize("piece", ["<s>", "</s>", "<pad>", "<unk>"])
def test_a_text_that_spells_a_special_piece_is_ordinary_text(piece: str) -> None:
    tokens = Tokens(RELEASED / TOKENIZER, prefix="", limit=100)
    [ids] = tokens.encode([f"He wrote {piece} and{piece}went on {piece}"])
    assert (ids[0], ids[-1]) == (0, 2)
    assert not set(ids[1:-1]) & {0, 1, 2}
