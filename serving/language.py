"""Identifies the language of a text, offline."""

from dataclasses import dataclass

from py3langid.langid import MODEL_FILE, LanguageIdentifier

ENOUGH = 2000
"""Code points that are read; more do not change the answer."""
SURE = 0.8
"""Below this probability the answer says that it is unsure."""
UNDETERMINED = "und"


@dataclass(frozen=True)
class Language:
    """ISO 639-1 code, or `und` where there is nothing to tell by, and its probability."""

    code: str
    probability: float

    @property
    def sure(self) -> bool:
        """Whether the code can be relied on."""
        return self.probability >= SURE


class LanguageDetector:
    """py3langid's identifier (Lui and Baldwin 2011) over all the languages that it knows."""

    def __init__(self) -> None:
        """Load the model that the library brings."""
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def detect(self, text: str) -> Language:
        """Return the likeliest language of `text`."""
        head = text[:ENOUGH]
        if not any(char.isalpha() for char in head):
            return Language(UNDETERMINED, 0.0)
        code, probability = self._identifier.classify(head)
        return Language(str(code), float(probability))
