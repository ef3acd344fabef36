"""The taxonomy file: any ids of the right shape, and errors that name file and field."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from training import taxonomy as taxonomies
from training.errors import LabelError
from training.taxonomy import Taxonomy


@pytest.fixture
def raw(made_up: Taxonomy) -> dict[str, Any]:
    return made_up.model_dump(mode="json")


def write(folder: Path, raw: object) -> Path:
    path = folder / "taxonomy.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return path


def test_a_taxonomy_keeps_the_order_of_its_file(tmp_path: Path, raw: dict[str, Any]) -> None:
    raw["narratives"].reverse()
    found = taxonomies.load(write(tmp_path, raw))
    assert found.narrative_ids == ["green-trains", "blue-boats", "red-tractors"]
    assert found.stance_ids == ["for", "against"]


def test_what_is_written_is_what_is_loaded(tmp_path: Path, made_up: Taxonomy) -> None:
    assert taxonomies.load(write(tmp_path, made_up.model_dump(mode="json"))) == made_up


def test_a_missing_file_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"no taxonomy at .*nowhere\.yaml: pass --taxonomy"):
        taxonomies.load(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    "content",
    [b"narratives: [unclosed", b"version: 1.0.0\n\tnarratives: []", "версия: ї".encode("cp1251")],
    ids=["unclosed", "tab", "not UTF-8"],
)
def test_what_is_not_yaml_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_bytes(content)
    with pytest.raises(LabelError, match=r"taxonomy\.yaml is not ") as caught:
        taxonomies.load(path)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.touch()
    with pytest.raises(LabelError, match=r"taxonomy\.yaml: the file: "):
        taxonomies.load(path)


@pytest.mark.parametrize(
    "identifier", ["Red-Tractors", "red_tractors", "red--tractors", "-red", ""]
)
def test_an_id_of_another_shape_names_its_field(
    tmp_path: Path, raw: dict[str, Any], identifier: str
) -> None:
    raw["narratives"][1]["id"] = identifier
    with pytest.raises(LabelError, match=r"taxonomy\.yaml: narratives\.1\.id: "):
        taxonomies.load(write(tmp_path, raw))


@pytest.mark.parametrize("kind", ["narrative", "stance"])
def test_an_id_that_stands_twice_is_named(tmp_path: Path, raw: dict[str, Any], kind: str) -> None:
    entries = raw[f"{kind}s"]
    entries.append(entries[0])
    with pytest.raises(LabelError, match=f"the {kind} '{entries[0]['id']}' stands twice"):
        taxonomies.load(write(tmp_path, raw))


def test_examples_of_an_unknown_stance_are_named(tmp_path: Path, raw: dict[str, Any]) -> None:
    raw["narratives"][2]["examples"] = {"perhaps": ["Trains may be green."]}
    with pytest.raises(
        LabelError, match="green-trains has examples of an unknown stance 'perhaps'"
    ):
        taxonomies.load(write(tmp_path, raw))


def test_one_stance_means_labels_without_stance(tmp_path: Path, raw: dict[str, Any]) -> None:
    del raw["stances"][1]
    for narrative in raw["narratives"]:
        narrative["examples"] = {}
    assert len(taxonomies.load(write(tmp_path, raw)).stances) == 1


def test_no_stance_is_too_few(tmp_path: Path, raw: dict[str, Any]) -> None:
    raw["stances"] = []
    with pytest.raises(LabelError, match=r"taxonomy\.yaml: stances: "):
        taxonomies.load(write(tmp_path, raw))


@pytest.mark.parametrize("field", ["version", "narratives", "stances"])
def test_a_missing_field_is_named(tmp_path: Path, raw: dict[str, Any], field: str) -> None:
    del raw[field]
    with pytest.raises(LabelError, match=rf"taxonomy\.yaml: {field}: Field required"):
        taxonomies.load(write(tmp_path, raw))


def test_a_misspelt_field_is_named(tmp_path: Path, raw: dict[str, Any]) -> None:
    raw["narratives"][0]["exludes"] = ["spades"]
    with pytest.raises(LabelError, match=r"taxonomy\.yaml: narratives\.0\.exludes: "):
        taxonomies.load(write(tmp_path, raw))


def test_a_version_of_two_numbers_is_refused(tmp_path: Path, raw: dict[str, Any]) -> None:
    raw["version"] = "1.0"
    with pytest.raises(LabelError, match=r"taxonomy\.yaml: version: "):
        taxonomies.load(write(tmp_path, raw))
