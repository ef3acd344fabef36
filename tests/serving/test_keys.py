"""API keys: shown once, kept as hashes, several at once, revoked at once."""

import json
import stat
from pathlib import Path

import pytest

from serving import keys
from serving.errors import ServingError
from serving.keys import KeyFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_a_minted_key_is_found_with_its_scopes_and_rate(path: Path) -> None:
    given = keys.mint(path, "newsroom", ["classify"], 60)
    found = KeyFile(path).find(given)
    assert found is not None
    assert (found.name, found.scopes, found.per_minute) == ("newsroom", ["classify"], 60)
    assert found.id == keys.identifier(given)


def test_the_file_does_not_have_the_key(path: Path) -> None:
    given = keys.mint(path, "newsroom", ["classify"])
    secret = given.split("_", 2)[2]
    content = path.read_text()
    assert secret not in content
    assert given not in content
    assert len(secret) >= 40


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    for name in ("one", "other"):
        keys.mint(path, name, ["classify"])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_several_keys_live_at_once_and_one_is_revoked_alone(path: Path) -> None:
    one, other = (keys.mint(path, name, ["classify"]) for name in ("one", "other"))
    file = KeyFile(path)
    assert file.find(one)
    assert file.find(other)
    keys.revoke(path, keys.identifier(one))
    assert file.find(one) is None
    assert file.find(other)


@pytest.mark.parametrize("change", ["{}x", "x{}", "{}\n", "{} ", ""])
def test_a_key_that_is_not_exactly_ours_is_not_found(path: Path, change: str) -> None:
    given = keys.mint(path, "one", ["classify"])
    assert KeyFile(path).find(change.format(given)) is None


@pytest.mark.parametrize("presented", ["", "_", "narra__", "narra_x_y", "ключ", "\ud800", "\0"])
def test_nonsense_is_not_found(path: Path, presented: str) -> None:
    keys.mint(path, "one", ["classify"])
    assert KeyFile(path).find(presented) is None


def test_the_id_of_one_key_with_the_secret_of_another_is_not_found(path: Path) -> None:
    one, other = (keys.mint(path, name, ["classify"]) for name in ("one", "other"))
    mixed = f"narra_{keys.identifier(one)}_{other.split('_', 2)[2]}"
    assert KeyFile(path).find(mixed) is None


def test_without_a_file_no_keys_are_needed_until_one_is_minted(path: Path) -> None:
    file = KeyFile(path)
    assert not file.needed
    given = keys.mint(path, "one", ["classify"])
    assert file.needed
    assert file.find(given)


def test_keys_stay_needed_when_the_last_is_revoked_or_the_file_is_gone(path: Path) -> None:
    given = keys.mint(path, "one", ["classify"])
    file = KeyFile(path)
    keys.revoke(path, keys.identifier(given))
    assert file.needed
    assert file.find(given) is None
    path.unlink()
    assert file.needed
    assert file.find(given) is None


def test_a_spoilt_file_leaves_the_known_keys(path: Path) -> None:
    given = keys.mint(path, "one", ["classify"])
    file = KeyFile(path)
    path.write_text("[{")
    assert file.find(given)
    assert file.needed


@pytest.mark.parametrize("content", ["", "{", "{}", '[{"id": "x"}]', '["x"]', "null"])
def test_a_file_that_is_not_one_of_keys_is_one_sentence(path: Path, content: str) -> None:
    path.write_text(content)
    for act in (KeyFile, lambda p: keys.mint(p, "one", ["classify"])):
        with pytest.raises(ServingError, match=r"keys\.json is no file of keys") as caught:
            act(path)
        assert "\n" not in str(caught.value)
    assert path.read_text() == content


def test_revoking_an_unknown_key_is_refused(path: Path) -> None:
    keys.mint(path, "one", ["classify"])
    with pytest.raises(ServingError, match="has no key deadbeef"):
        keys.revoke(path, "deadbeef")
    assert len(json.loads(path.read_text())) == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="cannot be written"):
        keys.mint(tmp_path / "nowhere" / "keys.json", "one", ["classify"])
