"""API keys: minted once, kept as hashes, revoked by their id.

A key is 256 random bits, so one round of SHA-256 is as good as a slow hash (nothing can be guessed
from a dictionary) and costs a request nothing.
"""

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from serving.errors import ServingError

Scope = Literal["classify", "metrics"]
SCOPES: tuple[Scope, ...] = ("classify", "metrics")
_MARK = "narra"


class Key(BaseModel):
    """What is kept of a key: never the key itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    sha256: str
    scopes: list[Scope]
    per_minute: int | None = Field(default=None, gt=0, description="texts a minute; none: no limit")
    created: str


_KEYS = TypeAdapter(list[Key])


class KeyFile:
    """The keys of a file, read anew whenever it changes."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that is not there has no keys.

        Raises:
            ServingError: the file is not one of keys.
        """
        self._path = path
        self._seen = self._stamp()
        self._keys = {key.id: key for key in read(path)}
        self._needed = bool(self._keys)

    @property
    def needed(self) -> bool:
        """Whether requests need a key; once they do, they do until the service ends."""
        self._refresh()
        return self._needed

    def find(self, presented: str) -> Key | None:
        """Return the key that was presented, if it is one of ours."""
        self._refresh()
        found = self._keys.get(identifier(presented))
        expected = found.sha256 if found else _hash("")
        # Compared in constant time, and against something even if there is no such key.
        same = hmac.compare_digest(_hash(presented), expected)
        return found if same else None

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        try:
            self._keys = {key.id: key for key in read(self._path)}
        except ServingError:
            # Half-written or spoilt: the keys that were known stay, and the file is looked at anew.
            return
        self._seen = stamp
        self._needed = self._needed or bool(self._keys)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def identifier(presented: str) -> str:
    """Return the public part of a key, or nothing if it is not of our shape."""
    parts = presented.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == _MARK else ""


def read(path: Path) -> list[Key]:
    """Return the keys of a file; none if there is no file.

    Raises:
        ServingError: the file is not one of keys.
    """
    try:
        return _KEYS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ServingError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise ServingError(
            f"{path} is no file of keys: mend it, or move it away and mint new keys."
        ) from error


def mint(path: Path, name: str, scopes: list[Scope], per_minute: int | None = None) -> str:
    """Add a key to the file and return it; it is shown this once.

    Raises:
        ServingError: the file is not one of keys, or cannot be written.
    """
    keys = read(path)
    given = f"{_MARK}_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
    created = datetime.now(UTC).isoformat(timespec="seconds")
    keys.append(
        Key(
            id=identifier(given),
            name=name,
            sha256=_hash(given),
            scopes=scopes,
            per_minute=per_minute,
            created=created,
        )
    )
    _write(path, keys)
    return given


def revoke(path: Path, key_id: str) -> None:
    """Take a key out of the file.

    Raises:
        ServingError: no key has this id, or the file cannot be read or written.
    """
    keys = read(path)
    left = [key for key in keys if key.id != key_id]
    if len(left) == len(keys):
        raise ServingError(f"{path} has no key {key_id}: see `narrascope keys list`.")
    _write(path, left)


def _hash(presented: str) -> str:
    return hashlib.sha256(presented.encode("utf-8", "surrogatepass")).hexdigest()


def _write(path: Path, keys: list[Key]) -> None:
    """Exchange the file at once, readable by its owner alone."""
    content = json.dumps([key.model_dump() for key in keys], indent=1) + "\n"
    try:
        # mkstemp's files are of mode 600.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError as error:
        raise ServingError(f"{path} cannot be written: {error.strerror}.") from error
