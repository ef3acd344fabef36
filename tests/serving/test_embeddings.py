"""The embedding table: what is packed comes back, exactly if it came out of four bits."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from serving.embeddings import BLOCK, EmbeddingTable, pack
from serving.errors import ModelFolderError

TOKENS, WIDTH = 50, 128


def _random(seed: int, scale: float = 1.0) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    return (generator.standard_normal((TOKENS, WIDTH)) * scale).astype(np.float32)


def _four_bits(seed: int) -> EmbeddingTable:
    """Return a table as Q4_0 writes it: in every block some weight has the code 0, or -8 steps."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 16, (TOKENS, WIDTH // BLOCK, BLOCK), dtype=np.uint8)
    lowest = generator.integers(0, BLOCK, codes.shape[:2])
    np.put_along_axis(codes, lowest[..., None], 0, -1)
    packed = codes[..., : BLOCK // 2] | codes[..., BLOCK // 2 :] << 4
    scales = generator.uniform(-1, 1, codes.shape[:2]).astype(np.float16)
    return EmbeddingTable(packed.reshape(TOKENS, -1), scales)


def _all(table: EmbeddingTable) -> NDArray[np.float32]:
    return table.rows(np.arange(len(table.codes)))


def test_a_byte_holds_two_weights_half_a_block_apart() -> None:
    codes = np.full((1, BLOCK // 2), 0x88, np.uint8)
    codes[0, 3] = 0xF1
    row = EmbeddingTable(codes, np.array([[0.5]], np.float16)).rows(np.array([0]))[0]
    expected = np.zeros(BLOCK, np.float32)
    expected[3], expected[3 + BLOCK // 2] = (1 - 8) * 0.5, (15 - 8) * 0.5
    np.testing.assert_array_equal(row, expected)


def test_each_block_has_its_own_scale() -> None:
    codes = np.zeros((2, BLOCK), np.uint8)
    scales = np.array([[1, 2], [3, -4]], np.float16)
    rows = EmbeddingTable(codes, scales).rows(np.array([1, 0]))
    assert rows[:, ::BLOCK].tolist() == [[-24, 32], [-8, -16]]


@pytest.mark.parametrize("scale", [1e-3, 0.05, 1.0, 300.0])
def test_weights_come_back_within_a_step(scale: float) -> None:
    weights = _random(1, scale)
    table = pack(weights)
    steps = np.abs(table.scales.astype(np.float32)).repeat(BLOCK, 1)
    error = np.abs(_all(table) - weights)
    # A weight opposite the block's largest and almost as large is the only one off by a whole step.
    assert (error <= steps * 1.01).all()
    assert (error <= steps * 0.51).mean() > 0.95


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_weight_of_a_block_is_kept_best(sign: int) -> None:
    weights = _random(2)
    weights[:, 5] = sign * 9
    np.testing.assert_allclose(_all(pack(weights))[:, 5], sign * 9, rtol=2**-11)


@pytest.mark.parametrize("seed", range(5))
def test_a_table_out_of_four_bits_is_packed_back_to_the_same_bits(seed: int) -> None:
    table = _four_bits(seed)
    again = pack(_all(table))
    np.testing.assert_array_equal(again.codes, table.codes)
    np.testing.assert_array_equal(again.scales.view(np.uint16), table.scales.view(np.uint16))


def test_packing_what_was_unpacked_changes_nothing_more() -> None:
    once = _all(pack(_random(3)))
    np.testing.assert_array_equal(_all(pack(once)), once)


def test_an_all_zero_block_stays_zero_beside_others() -> None:
    weights = _random(4)
    weights[7] = 0
    weights[8, BLOCK : 2 * BLOCK] = 0
    table = pack(weights)
    rows = _all(table)
    assert not rows[7].any()
    assert not rows[8, BLOCK : 2 * BLOCK].any()
    assert rows[8, :BLOCK].any()
    np.testing.assert_array_equal(_all(pack(rows)), rows)


def test_weights_too_small_for_a_scale_become_zero_and_no_nan() -> None:
    weights = np.full((1, BLOCK), 1e-9, np.float32)
    assert not _all(pack(weights)).any()


@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3), (2, 3, 4)])
def test_ids_of_any_shape_are_looked_up(shape: tuple[int, ...]) -> None:
    table = pack(_random(5))
    ids = np.random.default_rng(6).integers(0, TOKENS, shape)
    ids = np.asarray(ids)
    rows = table.rows(ids)
    assert rows.shape == (*shape, WIDTH)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, _all(table)[ids])


def test_a_file_is_read_as_it_was_packed(tmp_path: Path) -> None:
    table = pack(_random(7))
    path = tmp_path / "table.safetensors"
    save_file({"codes": table.codes, "scales": table.scales}, path)
    loaded = EmbeddingTable.load(path)
    assert loaded.width == WIDTH
    np.testing.assert_array_equal(_all(loaded), _all(table))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"absent\.safetensors is no embedding table"):
        EmbeddingTable.load(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\xff" * 100])
def test_a_file_of_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"table\.safetensors is no embedding table"):
        EmbeddingTable.load(path)


@pytest.mark.parametrize("left", ["codes", "scales"])
def test_a_table_with_half_of_its_tensors_is_named(tmp_path: Path, left: str) -> None:
    path = tmp_path / "table.safetensors"
    save_file({left: np.zeros((2, BLOCK), np.uint8)}, path)
    with pytest.raises(ModelFolderError, match=r"table\.safetensors is no embedding table"):
        EmbeddingTable.load(path)
