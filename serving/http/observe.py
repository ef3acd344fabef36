"""Watches every request from outside: its id, its timings, its log line, its metrics, its trace.

FastAPI and Starlette have tracing of their own; it writes exceptions' messages and the query, where
clients of Perspective API send their key, so it is switched off and what is written is chosen here.
"""

import logging
import time

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.calls import Call, call_of
from serving.http.metrics import Metrics
from serving.http.problems import CLIENT_CLOSED_REQUEST

_LOG = logging.getLogger("narrascope.requests")
_QUIET = ("/healthz", "/readyz", "/metrics")
"""Asked every few seconds by machines: counted, and logged only when they fail."""
_SERVER_ERROR = 500

_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Observe:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap an application."""
        self._app = app
        self._metrics = metrics
        self._tracer = trace.get_tracer("narrascope")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = call_of(scope)
        status = CLIENT_CLOSED_REQUEST
        begun = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), call, time.perf_counter() - begun)
            await send(message)

        parent = propagate.extract(Headers(scope=scope))
        with self._tracer.start_as_current_span(
            str(scope["method"]), parent, SpanKind.SERVER, record_exception=False
        ) as span:
            try:
                await self._app(scope, receive, watch)
            finally:
                route = getattr(scope.get("route"), "path", "unknown")
                seconds = time.perf_counter() - begun
                span.update_name(f"{scope['method']} {route}")
                fields = _fields(call, scope, route, status, seconds)
                span.set_attributes(fields)
                if status >= _SERVER_ERROR:
                    span.set_status(StatusCode.ERROR)
                self._metrics.request(call, route, status, seconds)
                if route not in _QUIET or status >= _SERVER_ERROR:
                    _LOG.info("request", extra={"fields": fields})


def _add_headers(headers: MutableHeaders, call: Call, seconds: float) -> None:
    headers["X-Request-ID"] = call.id
    if call.model is not None:
        headers["X-Model"] = call.model
    stages = {"queue": call.cost.queue, "tokenise": call.cost.tokenise, "infer": call.cost.infer}
    timing = {**(stages if call.cost.passages else {}), "total": seconds}
    headers["Server-Timing"] = ", ".join(f"{k};dur={v * 1000:.1f}" for k, v in timing.items())
    for name, value in _SECURITY.items():
        headers.setdefault(name, value)


def _fields(
    call: Call, scope: Scope, route: str, status: int, seconds: float
) -> dict[str, str | int | float]:
    """Return what may be known of a request: nothing in it is made up by the caller but its id."""
    method = scope["method"] if scope["method"] in _METHODS else "other"
    found: dict[str, str | int | float | None] = {
        "request_id": call.id,
        "method": method,
        "route": route,
        "status": status,
        "key": call.key.id if call.key else None,
        "model": call.model,
        "refused": call.limit,
        "texts": call.texts or None,
        "total_ms": round(seconds * 1000, 1),
    }
    if call.cost.passages:
        found |= {
            "passages": call.cost.passages,
            "tokens": call.cost.tokens,
            "cache_hits": call.cost.hits,
            "queue_ms": round(call.cost.queue * 1000, 1),
            "tokenise_ms": round(call.cost.tokenise * 1000, 1),
            "infer_ms": round(call.cost.infer * 1000, 1),
        }
    return {key: value for key, value in found.items() if value is not None}


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
