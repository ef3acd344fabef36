"""What a model must beat: TF-IDF and the frozen encoder, each under logistic regression."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_union

from serving.normalise import normalise
from training.evaluation.system import System
from training.fine_tune import Base, bf16_pays, load_encoder
from training.labels.sources import Passage
from training.metrics import mean_average_precision
from training.readout import Readout, stance_truth, truth
from training.taxonomy import Taxonomy

STRENGTHS = (1.0, 10.0, 100.0, 1000.0)
"""Inverse regularisation strengths; for either task the best on dev is taken."""
BATCH = 32

Sides = Mapping[str, Sequence[Passage]]


def tfidf(sides: Sides, taxonomy: Taxonomy) -> System:
    """Words and character n-grams."""
    union = words_and_letters()
    texts = {side: normalised(passages) for side, passages in sides.items()}
    union.fit(texts["train"])
    features = {side: csr_matrix(union.transform(texts[side])) for side in sides}
    return _fit("TF-IDF + logistic regression", features, sides, taxonomy)


def words_and_letters() -> FeatureUnion:
    """Return an unfitted vectoriser of words and character n-grams."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True)
    return make_union(words, chars)


def frozen_encoder(sides: Sides, taxonomy: Taxonomy, base: Base) -> System:
    """Mean-pooled embeddings of the base, as it was before fine-tuning."""
    encoder = load_encoder(base.folder).eval()
    features = {
        side: csr_matrix(embed(encoder, base, normalised(passages)))
        for side, passages in sides.items()
    }
    return _fit("frozen encoder + logistic regression", features, sides, taxonomy)


def normalised(passages: Sequence[Passage]) -> list[str]:
    """Return texts as serving reads them."""
    return [normalise(passage.text).text for passage in passages]


@torch.no_grad()
def embed(encoder: Any, base: Base, texts: list[str]) -> np.ndarray[Any, Any]:
    """Return mean-pooled embeddings of length 1, shape (texts, hidden size)."""
    ids = base.tokens.encode(texts)
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    rows = np.zeros((len(ids), encoder.config.hidden_size), np.float32)
    faster = torch.autocast("cpu", torch.bfloat16, enabled=bf16_pays())
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        longest = len(ids[batch[-1]])
        padded = torch.tensor([ids[i] + [0] * (longest - len(ids[i])) for i in batch])
        mask = torch.tensor([[1] * len(ids[i]) + [0] * (longest - len(ids[i])) for i in batch])
        with faster:
            hidden = encoder(input_ids=padded, attention_mask=mask).last_hidden_state.float()
        mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        rows[batch] = torch.nn.functional.normalize(mean, dim=1).numpy()
    return rows


def _fit(name: str, features: dict[str, Any], sides: Sides, taxonomy: Taxonomy) -> System:
    truths = {side: truth(passages, taxonomy) for side, passages in sides.items()}
    stances = {side: stance_truth(passages, taxonomy) for side, passages in sides.items()}
    scores = max(
        (_narratives(features, truths["train"], strength) for strength in STRENGTHS),
        key=lambda scores: mean_average_precision(truths["dev"], scores["dev"]),
    )
    stance_scores = max(
        (_stances(features, stances, len(taxonomy.stances), strength) for strength in STRENGTHS),
        key=lambda scores: _right(scores["dev"], stances["dev"]),
    )
    readouts = {
        side: Readout(
            narratives=scores[side],
            stances=stance_scores[side],
            truth=truths[side],
            stance_truth=stances[side],
        )
        for side in ("dev", "test")
    }
    return System(name=name, dev=readouts["dev"], test=readouts["test"])


def _narratives(features: dict[str, Any], train: Any, strength: float) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {"dev": [], "test": []}
    for narrative in range(train.shape[1]):
        for side, column in columns.items():
            column.append(np.zeros(features[side].shape[0]))
        if len(set(train[:, narrative])) < 2:
            continue
        model = LogisticRegression(C=strength, max_iter=300, solver="liblinear")
        model.fit(features["train"], train[:, narrative])
        for side, column in columns.items():
            column[-1] = model.predict_proba(features[side])[:, 1]
    return {side: np.stack(column, axis=1) for side, column in columns.items()}


def _right(scores: Any, truth: Any) -> float:
    carried = truth >= 0
    return float((scores.argmax(-1) == truth)[carried].mean())


def _stances(
    features: dict[str, Any], truths: dict[str, Any], count: int, strength: float
) -> dict[str, Any]:
    """One classifier over pairs of passage and narrative, with the narrative as a feature."""
    rows, narratives = np.nonzero(truths["train"] >= 0)
    total = truths["train"].shape[1]
    if count == 1:
        return {side: np.ones((features[side].shape[0], total, 1)) for side in ("dev", "test")}
    model = LogisticRegression(C=strength, max_iter=500)
    model.fit(
        hstack([features["train"][rows], one_hot(narratives, total)]),
        truths["train"][rows, narratives],
    )
    result = {}
    for side in ("dev", "test"):
        passages = features[side].shape[0]
        scores = np.zeros((passages, total, count))
        for narrative in range(total):
            hot = one_hot(np.full(passages, narrative), total)
            probabilities = model.predict_proba(hstack([features[side], hot]))
            scores[:, narrative][:, model.classes_] = probabilities
        result[side] = scores
    return result


def one_hot(narratives: Any, total: int) -> csr_matrix:
    """Return a row with a single 1 for each number below `total`."""
    return csr_matrix(np.eye(total)[narratives])
