"""Token ids out of text, by the tokenizer of a model folder."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from serving.errors import ModelFolderError


class Tokens:
    """The model's tokenizer, with the prefix that its encoder was taught and its length limit."""

    def __init__(self, path: Path, *, prefix: str, limit: int) -> None:
        """Read a `tokenizer.json`."""
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
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
