"""From labels of three made-up narratives to a prediction: no narrative has a name in code."""

import json
import shutil
from pathlib import Path

import pytest

from serving.classifier import Classifier, Item
from serving.model_folder import open_folder
from tests.training.toy import write_labels
from training import corpus as corpora
from training import release, run
from training.baselines import tfidf
from training.errors import TrainingError
from training.evaluation import markdown, report
from training.evaluation.measured import measure
from training.recipe import Recipe
from training.taxonomy import Taxonomy


def test_another_taxonomy_makes_another_classifier(released: Path) -> None:
    classifier = Classifier.load(released)
    texts = {
        "the red tractor 99 is good": ("red-tractors", "for"),
        "blue boat 77 is bad": ("blue-boats", "against"),
    }
    for text, expected in texts.items():
        best = classifier.predict([Item(text)])[0].narratives[0]
        assert (best.narrative, best.stance) == expected
        assert best.confidence > 0.5


def test_labels_without_stance_make_a_classifier(
    tmp_path: Path, made_up: Taxonomy, checkpoint: Path, tiny_recipe: Recipe
) -> None:
    taxonomy = write_labels(tmp_path / "labels", made_up, {"for": "is good"})
    corpus = corpora.load(tmp_path / "labels", taxonomy, None)
    run.start(tmp_path / "run", corpus, str(checkpoint), tiny_recipe)
    release.export_run(tmp_path / "run", corpus, tmp_path / "plain-0.0.1")
    classifier = Classifier.load(tmp_path / "plain-0.0.1")
    best = classifier.predict([Item("the red tractor 99 is good")])[0].narratives[0]
    assert (best.narrative, best.stance, best.stance_confidence) == ("red-tractors", "for", 1)
    sides = {side: corpus.side(side) for side in ("train", "dev", "test")}
    assert tfidf(sides, corpus.taxonomy).test.stances.shape[2] == 1


def test_the_manifest_says_what_the_model_was_made_from(
    released: Path, corpus: corpora.Corpus, tiny_recipe: Recipe
) -> None:
    manifest = open_folder(released)
    assert manifest.data["fingerprint"] == corpus.describe()["fingerprint"]
    assert manifest.training["recipe"]["seed"] == tiny_recipe.seed
    assert manifest.metrics["test_passages"] == len(corpus.side("test"))
    assert manifest.languages == {"en": len(corpus.side("train"))}


def test_the_released_folder_holds_no_pickle(released: Path) -> None:
    assert {path.suffix for path in released.iterdir()} == {
        ".bin",
        ".json",
        ".md",
        ".safetensors",
        ".xml",
    }


def test_a_killed_run_ends_as_one_that_was_not(
    tmp_path: Path,
    corpus: corpora.Corpus,
    checkpoint: Path,
    tiny_recipe: Recipe,
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from training import fine_tune

    killed = tmp_path / "killed"
    save = fine_tune._Trainer._save_checkpoint

    def save_then_die(trainer: object, *arguments: object, **options: object) -> None:
        save(trainer, *arguments, **options)
        if trainer.state.epoch >= 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fine_tune._Trainer, "_save_checkpoint", save_then_die)
        with pytest.raises(KeyboardInterrupt):
            run.start(killed, corpus, str(checkpoint), tiny_recipe)
    assert not (killed / fine_tune.WEIGHTS).exists()
    history = run.start(killed, corpus, str(checkpoint), tiny_recipe)
    assert history["resumed"]
    assert (killed / fine_tune.WEIGHTS).read_bytes() == (finished / fine_tune.WEIGHTS).read_bytes()


def test_a_run_folder_is_not_reused_for_other_arguments(
    finished: Path, corpus: corpora.Corpus, checkpoint: Path, tiny_recipe: Recipe
) -> None:
    with pytest.raises(TrainingError, match="other arguments"):
        run.start(finished, corpus, str(checkpoint), tiny_recipe.with_(seed=8))


def test_exporting_what_was_not_trained_names_the_command(
    tmp_path: Path, corpus: corpora.Corpus
) -> None:
    with pytest.raises(TrainingError, match="narrascope train --run"):
        release.export_run(tmp_path, corpus, tmp_path / "out")


def test_the_report_has_every_narrative_and_both_systems(
    released: Path, corpus: corpora.Corpus
) -> None:
    measured = measure(released, corpus)
    sides = {side: corpus.side(side) for side in ("train", "dev", "test")}
    found = report.evaluate(measured, [tfidf(sides, corpus.taxonomy)], corpus)
    text = markdown.page(found)
    assert all(f"`{narrative}`" in text for narrative in corpus.taxonomy.narrative_ids)
    assert "TF-IDF" in text
    assert found["systems"]["toy-0.0.1"]["macro_f1"]["value"] > 0.6
    json.dumps(found)


def test_stand_off_labels_without_their_source_are_counted_and_left_out(
    tmp_path: Path, made_up: Taxonomy
) -> None:
    folder = tmp_path / "labels"
    taxonomy = write_labels(folder, made_up)
    record = {
        "how": "stand-off",
        "source": "elsewhere",
        "id": "1",
        "lang": "en",
        "sha256": "0" * 64,
    }
    record |= {"labels": {}, "annotator": "test", "date": "2026-01-01", "picked": "random"}
    (folder / "other.jsonl").write_text(json.dumps(record) + "\n")
    found = corpora.load(folder, taxonomy, None)
    assert found.left_out() == "Left out: 1 stand-off records whose source is not here."
    assert len(found.passages) == 140


def test_the_exported_graph_has_the_scores_of_the_trained_network_in_every_batch_size(
    released: Path, finished: Path, corpus: corpora.Corpus
) -> None:
    # A reduction over the last axis once answered 0 for the last passage of some batches.
    classifier = Classifier.load(released)
    texts = [passage.text for passage in corpus.side("test")][:23]
    alone = [classifier.read([text])[0].narratives for text in texts]
    for size in range(2, len(texts) + 1):
        together = classifier.read(texts[:size])
        for one, other in zip(alone, together, strict=False):
            assert abs(one - other.narratives).max() < 0.05


def test_a_copy_of_the_model_folder_serves_elsewhere(released: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(released, tmp_path / released.name)
    text = [Item("green train 5 is good")]
    assert Classifier.load(copy).predict(text) == Classifier.load(released).predict(text)
