"""The split: which passages train, which tune (dev), which are held out (test).

Groups (see `groups`) go whole to one side. The split is frozen in a file, so that two models are
measured on the same passages, and so that nothing moves when labels are added: passages that the
file does not know are placed by the sides that their groups already have.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from training.errors import LabelError
from training.labels import groups
from training.labels.sources import Passage

SHARES = {"train": 0.7, "dev": 0.15, "test": 0.15}

_SIDES: TypeAdapter[dict[Literal["train", "dev", "test"], list[str]]] = TypeAdapter(
    dict[Literal["train", "dev", "test"], list[str]]
)

Split = dict[str, str]
"""Passage key -> side."""


def read(path: Path) -> Split:
    """Read a frozen split.

    Raises:
        LabelError: there is none, it is damaged, or a key stands on two sides.
    """
    try:
        sides = _SIDES.validate_json(path.read_bytes())
    except OSError as error:
        raise LabelError(f"no split at {path}: run `narrascope labels split` first.") from error
    except ValidationError as error:
        raise LabelError(
            f"{path} is no split ({error.errors()[0]['msg']}): restore it from version control."
        ) from error
    split: Split = {}
    for side, keys in sides.items():
        for key in keys:
            if split.setdefault(key, side) != side:
                raise LabelError(
                    f"{path}: {key} stands on two sides, {split[key]} and {side}: "
                    "leave it on the one that is held out."
                )
    return split


def write(split: Split, path: Path) -> None:
    """Freeze a split, sorted so that a change can be read."""
    sides = {side: sorted(key for key, on in split.items() if on == side) for side in SHARES}
    path.write_text(json.dumps(sides, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def take(passages: Sequence[Passage], split: Split, side: str) -> list[Passage]:
    """Return the passages of one side."""
    return [passage for passage in passages if split[passage.key] == side]


def extend(passages: Sequence[Passage], frozen: Split) -> Split:
    """Place the passages that `frozen` does not know; the others stay where they are.

    New groups are placed one after the other, those with the rarest traits (language, narrative,
    stance) first, each on the side that lacks most of its traits (iterative stratification;
    Sechidis, Tsoumakas and Vlahavas 2011). Ties are broken by hash, so the result is always the
    same. A new passage that is tied to passages of both sides goes to `train` only if none of them
    is held out.
    """
    numbers = groups.assign(passages)
    members: dict[int, list[Passage]] = defaultdict(list)
    for passage, number in zip(passages, numbers, strict=True):
        members[number].append(passage)

    split = dict(frozen)
    have: dict[str, Counter[str]] = {side: Counter() for side in SHARES}
    total: Counter[str] = Counter(trait for passage in passages for trait in _traits(passage))
    fresh: list[list[Passage]] = []
    for group in members.values():
        sides = {frozen[passage.key] for passage in group if passage.key in frozen}
        if sides:
            _place(group, _strictest(sides), split, have)
        else:
            fresh.append(group)

    def rarity(group: list[Passage]) -> tuple[int, int, str]:
        rarest = min(total[trait] for passage in group for trait in _traits(passage))
        return rarest, -len(group), _hash(group)

    for group in sorted(fresh, key=rarity):
        traits = Counter(trait for passage in group for trait in _traits(passage))
        lacking = {
            side: sum(
                count * (SHARES[side] - have[side][trait] / total[trait]) / total[trait]
                for trait, count in traits.items()
            )
            / SHARES[side]
            for side in SHARES
        }
        _place(group, max(lacking, key=lambda side: lacking[side]), split, have)
    return split


def leaks(passages: Sequence[Passage], split: Split) -> list[str]:
    """Return a sentence for every group that stands on more than one side."""
    sides: dict[int, dict[str, str]] = defaultdict(dict)
    for passage, number in zip(passages, groups.assign(passages), strict=True):
        sides[number].setdefault(split[passage.key], passage.key)
    return [
        "one group on several sides: " + ", ".join(f"{key} ({side})" for side, key in on.items())
        for on in sides.values()
        if len(on) > 1
    ]


def _place(group: list[Passage], side: str, split: Split, have: dict[str, Counter[str]]) -> None:
    for passage in group:
        on = split.setdefault(passage.key, side)
        have[on].update(_traits(passage))


def _strictest(sides: set[str]) -> str:
    return next(side for side in ("test", "dev", "train") if side in sides)


def _traits(passage: Passage) -> Iterator[str]:
    origin = "written" if passage.source == "written" else "real"
    yield "all"
    yield f"{origin} {passage.lang}"
    if not passage.labels:
        yield f"{origin} {passage.lang} none"
    for narrative, stance in passage.labels.items():
        yield narrative
        yield f"{narrative} {stance}"
        yield f"{origin} {narrative}"


def _hash(group: list[Passage]) -> str:
    return hashlib.sha256(min(passage.key for passage in group).encode()).hexdigest()
