"""Errors that a person can mend: each is one sentence with what, where and the remedy."""


class ServingError(Exception):
    """Something is wrong with what serving was given."""


class ModelFolderError(ServingError):
    """A model folder is missing, incomplete, altered or of another format."""


class TextError(ServingError):
    """A text cannot be classified; `limit` names the rule that it breaks."""

    def __init__(self, message: str, *, limit: str) -> None:
        """Make the error with its sentence and the rule's name."""
        super().__init__(message)
        self.limit = limit


class SourceError(ServingError):
    """A source, or the rest of it, cannot be read: it becomes a reject, and the run goes on."""
