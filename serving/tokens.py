"""Token ids out of text, by the tokenizer of a model folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from serving.errors import ModelFolderError


class Tokens:
    """The model's tokenizer, with the prefix that its encoder was taught and its length limit."""

    def __init__(self, path: Path, *, prefix: str, limit: int) -> None:
        """Read a `tokenizer.json`."""
        try:
            raw = json.loads(path.read_bytes())
            self._tokenizer = Tokenizer.from_str(json.dumps(_shielded(raw), ensure_ascii=False))
        except Exception as error:  # the library raises bare Exception
            raise ModelFolderError(f"{path} is no tokenizer: {error}.") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._prefix = prefix
        self._end = self._tokenizer.encode("").ids[-1]
        self.limit = limit
        frame = len(self._tokenizer.encode(prefix).ids)
        self.room = limit - frame
        """Tokens that a passage itself may have."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, without the model's own."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, framed as the model was taught, at most `limit`."""
        encodings = self._tokenizer.encode_batch_fast([self._prefix + text for text in texts])
        return [
            ids if len(ids := encoding.ids) <= self.limit else [*ids[: self.limit - 1], self._end]
            for encoding in encodings
        ]


def _shielded(raw: dict[str, Any]) -> dict[str, Any]:
    """Put the special pieces (begin, end, padding) out of reach of text that spells them.

    The library would take "</s>" inside a text for the end of it, and a unigram model would find it
    as a piece even if told not to. The frame around a text is made of ids, and stays; any other
    text has the very ids that it had.
    """
    special = {token["content"] for token in raw["added_tokens"] if token["special"]}
    raw["added_tokens"] = [token for token in raw["added_tokens"] if not token["special"]]
    vocabulary = raw["model"]["vocab"]
    if isinstance(vocabulary, list):
        for at, (piece, score) in enumerate(vocabulary):
            if piece in special:
                # NUL is in no text: it is refused before.
                vocabulary[at] = [f"\0{piece}", score]
    return raw
