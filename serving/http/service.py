"""What the routes of one service share: its model, what it takes in, and what it counts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from anyio import create_task_group, fail_after, from_thread, to_thread
from fastapi import Request

from serving.batching.admission import Admission, estimate
from serving.batching.batcher import Batcher
from serving.batching.queue import Turn
from serving.batching.scorer import Batch
from serving.classifier import Classifier, Item, Reading
from serving.decisions import Array
from serving.explanations import GROUPS, explained
from serving.http.access import Access
from serving.http.calls import Call, call_of
from serving.http.metrics import Metrics
from serving.http.model_slot import ModelSlot
from serving.http.presence import while_present
from serving.http.problems import RefusedError
from serving.keys import KeyFile
from serving.predictions import Prediction
from serving.settings import Settings


@dataclass(frozen=True)
class Answer:
    """What is said of a text, and the probabilities behind it, by the model's `narratives`."""

    prediction: Prediction
    reading: Reading
    narratives: list[str]


class Service:
    """Answers requests; `running` must be entered first."""

    def __init__(self, settings: Settings) -> None:
        """Make the parts; the model is loaded when the service runs.

        Raises:
            ServingError: the file of keys is not one.
        """
        self.settings = settings
        self.access = Access(KeyFile(settings.keys))
        self.admission = Admission(settings.max_queue_tokens)
        self.metrics = Metrics(
            waiting=lambda: self.slot.batcher.waiting_tokens if self.slot.filled else 0,
            accepted=lambda: self.admission.tokens,
        )
        self.slot = ModelSlot(settings, self._batcher, self.metrics.swapped)

    @asynccontextmanager
    async def running(self, classifier: Classifier | None = None) -> AsyncIterator[None]:
        """Load the model, or take `classifier`, and answer until the block ends.

        Raises:
            ModelFolderError: the folder is not as released.
        """
        ready = classifier or await self.slot.load()
        async with create_task_group() as tasks:
            self.slot.fill(tasks, ready)
            async with create_task_group() as watching:
                watching.start_soon(self.slot.watch, tasks)
                yield
                watching.cancel_scope.cancel()
            self.slot.close()

    @property
    def ready(self) -> bool:
        """Whether new requests are taken."""
        return self.slot.filled and not self.admission.draining

    async def answer(
        self,
        request: Request,
        items: Sequence[Item],
        *,
        scores: bool = False,
        cache: bool = True,
        explain: bool = False,
    ) -> list[Answer]:
        """Label the texts of one request, in order.

        Raises:
            RefusedError: the key's rate or the request's deadline is met.
            OverloadError: the queue is full.
            DrainingError: the service is stopping.
            AbandonedError: the caller went away.
        """
        call = call_of(request.scope)
        self.access.count(call.key, len(items))
        milliseconds = self._deadline(request)
        try:
            with fail_after(milliseconds and milliseconds / 1000):
                async with while_present(request):
                    return await self.predict(
                        call, items, scores=scores, cache=cache, explain=explain
                    )
        except TimeoutError as error:
            raise RefusedError(
                HTTPStatus.GATEWAY_TIMEOUT,
                f"There was no answer within the {milliseconds} ms of X-Timeout-Ms: "
                "send less, or allow more time.",
                "timeout",
            ) from error

    async def predict(
        self,
        call: Call,
        items: Sequence[Item],
        *,
        scores: bool,
        cache: bool,
        explain: bool = False,
        turn: Turn | None = None,
    ) -> list[Answer]:
        """Label texts for one caller within the bounds of the queue; see `answer`."""
        batcher = self.slot.batcher
        call.model = batcher.classifier.manifest.name
        call.texts += len(items)
        classifier, turn = batcher.classifier, turn or Turn()
        # What is explained is read again with each run of words left out.
        times = 2 + GROUPS if explain else 1
        with self.admission.admit(times * sum(estimate(item.text) for item in items)):
            texts = [item.text for item in items]
            readings = await batcher.read(texts, cache=cache, cost=call.cost, turn=turn)
            predictions = [
                classifier.prediction(item, reading, scores=scores)
                for item, reading in zip(items, readings, strict=True)
            ]
            if explain:
                predictions = [
                    await _explained(batcher, text, prediction, turn)
                    for text, prediction in zip(texts, predictions, strict=True)
                ]
        answers = [
            Answer(prediction, reading, classifier.narratives)
            for prediction, reading in zip(predictions, readings, strict=True)
        ]
        for answer in answers:
            self.metrics.predicted(answer.prediction)
        return answers

    def _deadline(self, request: Request) -> int | None:
        given = request.headers.get("x-timeout-ms")
        if given is None:
            return None
        most = self.settings.max_timeout_ms
        if not (given.isascii() and given.isdigit() and 0 < int(given[:20]) <= most):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"X-Timeout-Ms is no whole number of milliseconds from 1 to {most}.",
                "timeout-ms",
            )
        return int(given)

    def _batcher(self, classifier: Classifier) -> Batcher:
        return Batcher(
            classifier,
            workers=self.settings.workers,
            cache=self.settings.cache,
            measured=self._measured,
        )

    def _measured(self, batch: Batch) -> None:
        self.metrics.batch(batch)
        self.admission.measured(batch)


async def _explained(batcher: Batcher, text: str, prediction: Prediction, turn: Turn) -> Prediction:
    """Explain in a thread, whose occluded passages wait in the queue like anybody's."""

    def weigh(passages: Sequence[str]) -> Array:
        return from_thread.run(batcher.weigh, passages, turn)

    explain = partial(explained, batcher.classifier, text, prediction, weigh)
    return await to_thread.run_sync(explain)


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service: Service = request.app.state.service
    return service
