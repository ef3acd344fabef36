"""Errors of training that a person can mend: a sentence with what, where and the remedy."""


class TrainingError(Exception):
    """Something is wrong with what training was given."""


class BaseError(TrainingError):
    """The base encoder is missing, damaged or of an unknown kind."""


class LabelError(TrainingError):
    """Labels or taxonomy do not hold together."""
