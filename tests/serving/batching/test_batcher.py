"""The batcher: the classifier's own answers, to many at once."""

import anyio
import pytest
from anyio import from_thread

from serving.batching.batcher import Batcher, Cost
from serving.classifier import Classifier, Item
from tests.serving.batching.conftest import WAIT_S

pytestmark = pytest.mark.anyio

TEXTS = [
    "The red tractor is good.",
    "Boats. " * 40,
    "Поезд зелёный и хороший.\n\nThe blue boat is bad. " * 6,
    "12",
    "The green train.",
]


@pytest.fixture(scope="module")
def classifier(tiny_model) -> Classifier:
    return Classifier.load(tiny_model, threads=1)


async def _run(batcher: Batcher, asking) -> None:
    with anyio.fail_after(WAIT_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(batcher.run)
            try:
                await asking()
            finally:
                batcher.close()


def _alike(one, other) -> bool:
    return (
        (one.id, one.language, one.warnings) == (other.id, other.language, other.warnings)
        and {(f.narrative, f.begin, f.end, f.stance) for f in one.narratives}
        == {(f.narrative, f.begin, f.end, f.stance) for f in other.narratives}
        and one.scores == pytest.approx(other.scores, abs=1e-3)
    )


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("cache", [0, 3, 1000])
async def test_answers_are_the_classifiers_own_in_order_and_with_their_ids(
    classifier: Classifier, workers: int, cache: int
) -> None:
    batcher = Batcher(classifier, workers=workers, cache=cache)
    items = [Item(text, f"id-{n}") for n, text in enumerate(TEXTS)]
    expected = classifier.predict(items, scores=True)
    got: dict[int, list] = {}

    async def caller(number: int) -> None:
        mine = items[number % 5 :] + items[: number % 5]
        readings = await batcher.read([item.text for item in mine])
        got[number] = [
            classifier.prediction(item, reading, scores=True)
            for item, reading in zip(mine, readings, strict=True)
        ]

    async def asking() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(caller, number)

    await _run(batcher, asking)
    assert len(got) == 20
    for number, answers in got.items():
        wanted = expected[number % 5 :] + expected[: number % 5]
        assert all(_alike(*pair) for pair in zip(answers, wanted, strict=True))


async def test_nothing_asked_is_nothing_answered(classifier: Classifier) -> None:
    batcher = Batcher(classifier)

    async def asking() -> None:
        assert await batcher.read([]) == []

    await _run(batcher, asking)


async def test_the_cost_counts_tokens_passages_and_what_was_known(classifier: Classifier) -> None:
    batcher = Batcher(classifier, cache=100)
    cost, again = Cost(), Cost()

    async def asking() -> None:
        for each in (cost, again):
            await batcher.read([TEXTS[2]], cost=each)

    await _run(batcher, asking)
    [prepared] = classifier.prepare([TEXTS[2]])
    assert cost.passages == again.passages == len(prepared.ids)
    assert cost.tokens == sum(map(len, prepared.ids))
    # Passages that stand in the text twice are known to nobody the first time.
    assert cost.hits == 0
    assert again.hits == again.passages
    assert min(cost.tokenise, cost.queue, cost.infer, again.tokenise) >= 0


async def test_a_text_whose_tokenising_fails_fails_alone(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    batcher = Batcher(classifier)
    prepare = classifier.prepare

    def fail_on_boats(texts):
        if "Boats" in texts[0]:
            raise ValueError("no boats")
        return prepare(texts)

    monkeypatch.setattr(classifier, "prepare", fail_on_boats)
    answered = []

    async def asking() -> None:
        async def good() -> None:
            answered.extend(await batcher.read([TEXTS[0]]))

        async def bad() -> None:
            with pytest.raises(ValueError, match="no boats"):
                await batcher.read(TEXTS[:2])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(good)
            tasks.start_soon(bad)

    await _run(batcher, asking)
    assert len(answered) == 1
    assert batcher.waiting_tokens == 0


async def test_closing_waits_for_those_who_are_still_being_tokenised(
    classifier: Classifier,
) -> None:
    batcher = Batcher(classifier)
    answered = []

    async def asking() -> None:
        async def ask() -> None:
            answered.extend(await batcher.read(TEXTS))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.sleep(0)
            batcher.close()

    await _run(batcher, asking)
    assert len(answered) == len(TEXTS)


async def test_the_event_loop_is_not_blocked_by_tokenising(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    batcher = Batcher(classifier)
    prepare = classifier.prepare
    turned = anyio.Event()

    def wait_for_the_loop(texts):
        # Answered only by a loop that is free.
        from_thread.run_sync(turned.set)
        return prepare(texts)

    monkeypatch.setattr(classifier, "prepare", wait_for_the_loop)

    async def asking() -> None:
        await batcher.read(TEXTS[:1])

    await _run(batcher, asking)
    assert turned.is_set()
