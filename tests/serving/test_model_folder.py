"""A model folder: whatever is wrong with it is one sentence with the file and the remedy."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.errors import ModelFolderError
from serving.model_folder import EMBEDDINGS, MANIFEST, NETWORK, TOKENIZER, digest, open_folder

FILES = (NETWORK, "network.bin", EMBEDDINGS, TOKENIZER)
REMEDY = re.compile(
    r"copy the whole released folder|serve it with the release|pass the path|must |should "
)

Damage = Callable[[Path], object]


def manifest(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / MANIFEST
        raw = json.loads(path.read_text(encoding="utf-8"))
        change(raw)
        path.write_text(json.dumps(raw), encoding="utf-8")

    return damage


def content(text: str) -> Damage:
    return lambda folder: (folder / MANIFEST).write_text(text, encoding="utf-8")


def also_names(name: str) -> Damage:
    return manifest(lambda raw: raw["files"].update({name: "0" * 64}))


def rule(**values: float) -> Damage:
    return manifest(lambda raw: raw["decisions"]["red-tractors"].update(values))


def gone(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def _manifest_not_utf8(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(b'{"format": 1, "name": "\xff"}')


def _manifest_a_folder(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).mkdir()


def _file_a_folder(folder: Path) -> None:
    (folder / TOKENIZER).unlink()
    (folder / TOKENIZER).mkdir()


# What is wrong -> how it is brought about, and what the sentence must name.
WRONG: dict[str, tuple[Damage, str]] = {
    "no folder": (shutil.rmtree, MANIFEST),
    "no manifest": (gone(MANIFEST), MANIFEST),
    "manifest is a folder": (_manifest_a_folder, MANIFEST),
    "manifest is empty": (content(""), MANIFEST),
    "manifest is not JSON": (content('{"format": 1,'), MANIFEST),
    "manifest is not UTF-8": (_manifest_not_utf8, MANIFEST),
    "manifest is nested without end": (content("[" * 100_000), MANIFEST),
    "manifest is a list": (content("[1]"), MANIFEST),
    "manifest is null": (content("null"), MANIFEST),
    "no format": (manifest(lambda raw: raw.pop("format")), "format 1"),
    "a later format": (manifest(lambda raw: raw.update(format=2)), "format 1"),
    "format in words": (manifest(lambda raw: raw.update(format="1")), "format 1"),
    "a field missing": (manifest(lambda raw: raw.pop("stance")), "stance"),
    "a field too many": (manifest(lambda raw: raw.update(extra=1)), "extra"),
    "a field of another type": (manifest(lambda raw: raw.update(languages=["en"])), "languages"),
    "a label without decision": (
        manifest(lambda raw: raw["decisions"].pop("red-tractors")),
        "decisions",
    ),
    "a decision without label": (manifest(lambda raw: raw["narratives"].pop()), "decisions"),
    "a label twice": (
        manifest(lambda raw: raw["narratives"].append(raw["narratives"][0])),
        "narrative",
    ),
    "a stance without decision": (
        manifest(lambda raw: raw["stance"]["accept"].pop("for")),
        "stance.accept",
    ),
    "review above accept": (rule(review=0.8, accept=0.7), "decisions.red-tractors"),
    "accept above one": (rule(accept=1.5), "decisions.red-tractors.accept"),
    "review below zero": (rule(review=-0.1), "decisions.red-tractors.review"),
    "slope of zero": (rule(slope=0), "decisions.red-tractors.slope"),
    "slope infinite": (rule(slope=float("inf")), "decisions.red-tractors.slope"),
    "intercept not a number": (rule(intercept=float("nan")), "decisions.red-tractors.intercept"),
    "temperature of zero": (
        manifest(lambda raw: raw["stance"].update(temperature=0)),
        "stance.temperature",
    ),
    "room for no text": (manifest(lambda raw: raw["reading"].update(tokens=8)), "reading.tokens"),
    **{
        f"manifest without {name}": (manifest(lambda raw, name=name: raw["files"].pop(name)), name)
        for name in FILES
    },
    **{f"{name} missing": (gone(name), name) for name in FILES},
    "a file that never was": (also_names("more.bin"), "more.bin"),
    "a file is a folder": (_file_a_folder, TOKENIZER),
    "a path upwards": (also_names("../x"), "../x"),
    "a path from the root": (also_names("/etc/hostname"), "/etc/hostname"),
    "a path into a subfolder": (also_names("sub/x"), "sub/x"),
    "a path that is the folder above": (also_names(".."), ".."),
    "a file name longer than the system has": (also_names("x" * 300), "x" * 300),
}
WRONG_CASES = pytest.mark.parametrize(("damage", "named"), WRONG.values(), ids=list(WRONG))


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model, tmp_path / tiny_model.name)


def _refused(folder: Path) -> str:
    with pytest.raises(ModelFolderError) as caught:
        open_folder(folder)
    return str(caught.value)


def test_a_released_folder_is_opened(folder: Path) -> None:
    found = open_folder(folder)
    assert found.name == folder.name
    assert [label.id for label in found.narratives] == [
        "red-tractors",
        "blue-boats",
        "green-trains",
    ]
    assert set(found.files) == set(FILES)


def test_a_card_beside_the_files_is_allowed(folder: Path) -> None:
    (folder / "README.md").write_text("A card.")
    assert open_folder(folder).name == folder.name


def test_the_folder_can_be_renamed(folder: Path) -> None:
    assert open_folder(folder.rename(folder.with_name("current"))).name == "tiny-0.0.1"


@WRONG_CASES
def test_a_wrong_folder_is_one_sentence_that_names_what_is_wrong(
    folder: Path, damage: Damage, named: str
) -> None:
    damage(folder)
    sentence = _refused(folder)
    assert str(folder) in sentence
    assert named in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert not sentence.endswith("..")


@WRONG_CASES
def test_a_wrong_folder_comes_with_the_remedy(folder: Path, damage: Damage, named: str) -> None:
    damage(folder)
    sentence = _refused(folder)
    assert REMEDY.search(sentence.replace(named, "")), sentence


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_its_last_byte_is_named(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{path} is not the released file" in _refused(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", [0, 0.5, 1], ids=["first", "middle", "last"])
def test_a_file_with_one_flipped_bit_is_named(folder: Path, name: str, where: float) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[int(where * (len(data) - 1))] ^= 1
    path.write_bytes(data)
    sentence = _refused(folder)
    assert f"{path} is not the released file" in sentence
    assert "copy the whole released folder again" in sentence


def test_both_hashes_of_an_altered_file_are_in_the_sentence(folder: Path) -> None:
    expected = digest(folder / TOKENIZER)
    (folder / TOKENIZER).write_text("{}")
    sentence = _refused(folder)
    assert expected[:12] in sentence
    assert digest(folder / TOKENIZER)[:12] in sentence


def test_a_path_out_of_the_folder_is_refused_even_with_the_right_hash(folder: Path) -> None:
    outside = folder.parent / "x"
    outside.write_text("not of this model")
    manifest(lambda raw: raw["files"].update({"../x": digest(outside)}))(folder)
    assert "'../x'" in _refused(folder)


def test_a_file_instead_of_a_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights")
    assert f"{path} is no model folder" in _refused(path)


def test_a_digest_is_the_files_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert digest(tmp_path / "file") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
