"""The network of a run as it was trained, before eight bits, behind the released decisions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from serving.classifier import Classifier
from serving.engine import Scores, batches
from serving.language import LanguageDetector
from serving.tokens import Tokens
from training import run
from training.corpus import Corpus
from training.encoding import collate
from training.errors import TrainingError
from training.evaluation.measured import Measured, listen
from training.evaluation.system import System
from training.network import Network


class TorchEngine:
    """Stands in for serving's engine: the same token ids in, the trained network's scores out."""

    def __init__(self, network: Network) -> None:
        """Take a trained network."""
        self._network = network.eval()
        self._device = next(network.parameters()).device

    @torch.no_grad()
    def score(self, ids: Sequence[Sequence[int]]) -> Scores:
        """Score passages, given as token ids."""
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        parts = [
            self._score([list(ids[index]) for index in batch]) for batch in batches(ids, order)
        ]
        back = np.argsort(order)
        return Scores(
            np.concatenate([part.narratives for part in parts])[back],
            np.concatenate([part.stances for part in parts])[back],
        )

    def _score(self, ids: list[list[int]]) -> Scores:
        rows = collate([{"input_ids": passage, "narratives": [], "stances": []} for passage in ids])
        answer = self._network(
            rows["input_ids"].to(self._device), rows["attention_mask"].to(self._device)
        )
        return Scores(answer["narratives"].cpu().numpy(), answer["stances"].cpu().numpy())


def unquantised(measured: Measured, folder: Path, corpus: Corpus) -> System:
    """Read dev and test through the network of the run that the model was made of.

    Raises:
        TrainingError: the model was not made of this run.
    """
    network, base, recipe, about = run.load(folder, corpus)
    manifest = measured.classifier.manifest
    made = {**about["history"], "recipe": about["recipe"]}
    same = all(manifest.training.get(name) == value for name, value in made.items())
    if about["data"] != manifest.data or not same:
        raise TrainingError(
            f"{manifest.name} was not made of the run in {folder}: their labels, recipes or "
            "histories differ. Pass the --run that it was exported from."
        )
    tokens = Tokens(
        base.folder / run.TOKENIZER, prefix=manifest.reading.prefix, limit=recipe.tokens
    )
    classifier = Classifier(manifest, tokens, TorchEngine(network), LanguageDetector())
    return listen("the same network in fp32", classifier, corpus)
