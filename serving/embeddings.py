"""The table of token embeddings, four bits a weight, read row by row.

Most of a small multilingual encoder is this table, and a passage needs a few dozen of its rows. It
is kept out of the engine's graph: packed, mapped from disk, and unpacked only where it is read.
A row is cut into blocks of 32 weights; a block has one fp16 scale and 16 bytes, of which byte j
holds weight j (low nibble) and weight j + 16 (high nibble), each stored with 8 added (Q4_0).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from serving.errors import ModelFolderError

BLOCK = 32
ZERO = 8


class EmbeddingTable:
    """Packed rows: `codes` (tokens, width / 2) uint8 and `scales` (tokens, width / 32) fp16."""

    def __init__(self, codes: NDArray[np.uint8], scales: NDArray[np.float16]) -> None:
        """Take a packed table."""
        self.codes = codes
        self.scales = scales
        self.width = scales.shape[1] * BLOCK

    @classmethod
    def load(cls, path: Path) -> "EmbeddingTable":
        """Read a safetensors file with `codes` and `scales`."""
        try:
            with safe_open(path, framework="numpy") as tensors:
                return cls(tensors.get_tensor("codes"), tensors.get_tensor("scales"))
        except (OSError, SafetensorError) as error:
            raise ModelFolderError(f"{path} is no embedding table: {error}.") from error

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the embeddings of `ids` (any shape), fp32, shape (*ids.shape, width)."""
        codes = self.codes[ids].reshape(*ids.shape, -1, BLOCK // 2)
        blocks = np.empty((*codes.shape[:-1], BLOCK), np.float32)
        blocks[..., : BLOCK // 2] = codes & 15
        blocks[..., BLOCK // 2 :] = codes >> 4
        blocks -= ZERO
        blocks *= self.scales[ids].astype(np.float32)[..., None]
        return blocks.reshape(*ids.shape, self.width)


def pack(weights: NDArray[np.float32]) -> EmbeddingTable:
    """Pack a table (tokens, width) of fp32; one that came out of four bits is kept exactly.

    The weight of the largest magnitude in a block becomes -8, as in the format that is read; so a
    table that was unpacked from it is packed back to the same bits.
    """
    blocks = weights.reshape(len(weights), -1, BLOCK)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)
    scales = (extreme / -ZERO).astype(np.float16)
    steps = scales.astype(np.float32)
    codes = np.divide(blocks, steps, out=np.zeros_like(blocks), where=steps != 0)
    codes = np.clip(np.rint(codes) + ZERO, 0, 15).astype(np.uint8)
    packed = codes[..., : BLOCK // 2] | codes[..., BLOCK // 2 :] << 4
    return EmbeddingTable(packed.reshape(len(weights), -1), scales[..., 0])
