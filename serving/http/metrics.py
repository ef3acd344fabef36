"""Prometheus metrics of one service. No label has a value that a caller can make up."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from serving.batching.scorer import Batch
from serving.http.calls import Call
from serving.predictions import Prediction

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_PASSAGES = (1, 2, 4, 8, 16, 32, 64, 128)
_TOKENS = (16, 32, 64, 128, 256, 512, 1024, 2048)
_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)


class Metrics:
    """What a service counts, in a registry of its own."""

    def __init__(self, *, waiting: Callable[[], float], accepted: Callable[[], float]) -> None:
        """Make the metrics; the arguments tell tokens in the queue, and accepted tokens."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"narrascope_{name}", about, labels, registry=registry)

        def histogram(
            name: str, about: str, *labels: str, buckets: tuple[float, ...] = _SECONDS
        ) -> Histogram:
            full = f"narrascope_{name}"
            return Histogram(full, about, labels, registry=registry, buckets=buckets)

        def gauge(name: str, about: str, *labels: str) -> Gauge:
            return Gauge(f"narrascope_{name}", about, labels, registry=registry)

        self._requests = counter("requests", "requests answered", "route", "status")
        self._errors = counter("errors", "requests refused or failed, by rule", "route", "kind")
        self._seconds = histogram("request_seconds", "time to the last byte", "route")
        self._stages = histogram("stage_seconds", "time of a request by stage", "stage")
        self._batch_seconds = histogram("batch_seconds", "time of a batch in the network")
        self._batch_passages = histogram("batch_passages", "passages", buckets=_PASSAGES)
        self._batch_tokens = histogram("batch_tokens", "tokens of a batch", buckets=_TOKENS)
        self._padding = histogram("batch_padding_share", "padding in a batch", buckets=_SHARES)
        self._passages = counter("passages", "passages asked for")
        self._hits = counter("cache_hits", "passages answered from the cache")
        self._texts = counter("texts", "texts labelled", "language")
        self._findings = counter(
            "findings", "narratives found", "narrative", "language", "decision", "stance"
        )
        self._cautions = counter("cautions", "texts answered with a warning", "code")
        self._swaps = counter("model_swaps", "models taken and refused", "outcome")
        self._model = gauge("model_info", "1 for the model that answers", "model")
        gauge("queue_tokens", "tokens that wait for the network").set_function(waiting)
        gauge("accepted_tokens", "tokens accepted, not yet answered").set_function(accepted)

    def request(self, call: Call, route: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)
        if call.limit is not None:
            self._errors.labels(route, call.limit).inc()
        if call.cost.passages:
            for stage in ("queue", "tokenise", "infer"):
                self._stages.labels(stage).observe(getattr(call.cost, stage))
            self._passages.inc(call.cost.passages)
            self._hits.inc(call.cost.hits)

    def batch(self, batch: Batch) -> None:
        """Count a batch."""
        self._batch_seconds.observe(batch.seconds)
        self._batch_passages.observe(batch.passages)
        self._batch_tokens.observe(batch.tokens)
        self._padding.observe(1 - batch.tokens / batch.padded)

    def predicted(self, prediction: Prediction) -> None:
        """Count what was found in a text."""
        language = prediction.language
        self._texts.labels(language).inc()
        for found in prediction.narratives:
            self._findings.labels(found.narrative, language, found.decision, found.stance).inc()
        for caution in prediction.warnings or []:
            self._cautions.labels(caution.code).inc()

    def swapped(self, outcome: str, model: str) -> None:
        """Count a model that was taken or refused; `model` answers now."""
        self._swaps.labels(outcome).inc()
        self._model.clear()
        self._model.labels(model).set(1)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
