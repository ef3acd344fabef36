"""Evaluation: how good a model folder is, read through serving's own classifier."""
