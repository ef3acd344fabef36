"""A run on toy labels and the folder that is made of it, for all tests of training."""

from pathlib import Path

import pytest

from tests.training.toy import write_labels
from training import corpus as corpora
from training import release, run
from training.recipe import Recipe
from training.taxonomy import Taxonomy


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory, made_up: Taxonomy) -> Path:
    """Toy labels with their taxonomy and split."""
    folder = tmp_path_factory.mktemp("labels")
    write_labels(folder, made_up)
    return folder


@pytest.fixture(scope="session")
def corpus(corpus_folder: Path) -> corpora.Corpus:
    """The toy labels, loaded."""
    return corpora.load(corpus_folder, corpus_folder / "taxonomy.yaml", None)


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
    corpus: corpora.Corpus,
    checkpoint: Path,
    tiny_recipe: Recipe,
) -> Path:
    """A finished run on the toy labels."""
    folder = tmp_path_factory.mktemp("runs") / "toy"
    run.start(folder, corpus, str(checkpoint), tiny_recipe)
    return folder


@pytest.fixture(scope="session")
def released(
    tmp_path_factory: pytest.TempPathFactory, corpus: corpora.Corpus, finished: Path
) -> Path:
    """The model folder that was made of it."""
    target = tmp_path_factory.mktemp("models") / "toy-0.0.1"
    release.export_run(finished, corpus, target)
    return target
