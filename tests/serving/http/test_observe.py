"""What is told of each request: headers, metrics, log lines, traces; and never its text."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from serving.errors import ServingError
from serving.http import observe, tracing
from serving.http.logs import JsonFormatter

ASKED = {"text": "The red tractor is good."}
SECRET = "Zanzibarquux"


def test_an_id_that_the_caller_gives_comes_back(client: TestClient) -> None:
    for given in ("a1", "0d9f-4.x_Y", "x" * 64):
        response = client.get("/healthz", headers={"X-Request-ID": given})
        assert response.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, '"', "a;b", "\xff", None])
def test_an_id_that_is_none_is_replaced(client: TestClient, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given.encode("latin-1")}
    ids = {client.get("/healthz", headers=headers).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids)


def test_answers_tell_what_each_stage_took(client: TestClient) -> None:
    timing = client.post("/v1/classify", json=ASKED).headers["server-timing"]
    stages = re.findall(r"(\w+);dur=(\d+\.\d)(?:, |$)", timing)
    assert [name for name, _ in stages] == ["queue", "tokenise", "infer", "total"]
    assert all(float(value) >= 0 for _, value in stages)


def test_every_answer_names_the_model(client: TestClient) -> None:
    inputs = {"inputs": ASKED["text"]}
    for route, body in (("/v1/classify", ASKED), ("/predict", inputs)):
        assert client.post(route, json=body).headers["x-model"] == "tiny-0.0.1"


@pytest.mark.parametrize("route", ["/healthz", "/v1/classify", "/nowhere", "/metrics"])
def test_every_answer_has_the_headers_that_keep_a_browser_safe(
    client: TestClient, route: str
) -> None:
    headers = client.get(route, headers={"Origin": "https://example.org"}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert not [name for name in headers if name.startswith("access-control")]


def _metrics(client: TestClient) -> dict[str, float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in response.text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, _, value in lines}


def test_metrics_count_what_was_asked_and_found(client: TestClient) -> None:
    before = _metrics(client)
    text = "The government said on Monday that the green train is good for the country."
    for _ in range(2):
        client.post("/v1/classify", json={"text": text})
    client.post("/v1/classify", json={"text": ""})
    after = _metrics(client)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    route = 'route="/v1/classify"'
    assert grown(f'narrascope_requests_total{{{route},status="200"}}') == 2
    assert grown(f'narrascope_requests_total{{{route},status="422"}}') == 1
    assert grown(f'narrascope_errors_total{{kind="text-empty",{route}}}') == 1
    assert grown("narrascope_cache_hits_total") >= 1
    assert grown('narrascope_texts_total{language="en"}') == 2
    found = [name for name in after if name.startswith("narrascope_findings_total") and grown(name)]
    assert sum(grown(name) for name in found) >= 6
    assert any('narrative="red-tractors"' in name for name in found)
    for stage in ("queue", "tokenise", "infer"):
        assert grown(f'narrascope_stage_seconds_count{{stage="{stage}"}}') == 2
    assert grown("narrascope_batch_tokens_count") >= 1
    assert after['narrascope_model_info{model="tiny-0.0.1"}'] == 1
    assert after["narrascope_queue_tokens"] == after["narrascope_accepted_tokens"] == 0
    assert after["process_resident_memory_bytes"] > 0


def test_no_metric_has_a_label_that_a_caller_made_up(client: TestClient) -> None:
    client.get(f"/{SECRET}")
    client.request(SECRET.upper(), "/v1/classify")
    client.post("/v1/classify", json={"text": SECRET, SECRET: 1}, headers={"X-Request-ID": SECRET})
    assert SECRET.lower() not in client.get("/metrics").text.lower()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    entries: list[dict[str, Any]] = []
    formatter = JsonFormatter()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            entries.append(json.loads(formatter.format(record)))

    logger, handler = logging.getLogger("narrascope"), Keep()
    logger.addHandler(handler)
    with caplog.at_level(logging.INFO, "narrascope"):
        yield entries
    logger.removeHandler(handler)


def test_a_request_is_one_line_of_facts(client: TestClient, logged: list[dict[str, Any]]) -> None:
    client.post("/v1/classify?x=Zanzibarquux", json=ASKED, headers={"X-Request-ID": "a1"})
    [entry] = logged
    assert entry["message"] == "request"
    assert (entry["request_id"], entry["method"], entry["route"]) == ("a1", "POST", "/v1/classify")
    assert (entry["status"], entry["model"], entry["texts"]) == (200, "tiny-0.0.1", 1)
    assert {"queue_ms", "tokenise_ms", "infer_ms", "total_ms", "tokens", "passages"} <= entry.keys()
    assert SECRET not in str(entry)


def test_a_refusal_is_logged_by_its_rule(client: TestClient, logged: list[dict[str, Any]]) -> None:
    client.post("/v1/classify", json={"text": f"{SECRET}\0"})
    client.get(f"/{SECRET}", headers={"User-Agent": SECRET, "Referer": SECRET})
    assert [(e["status"], e["refused"]) for e in logged] == [(422, "text-nul"), (404, "404")]
    assert logged[1]["route"] == "unknown"
    assert SECRET not in str(logged)


def test_probes_are_not_logged_while_all_is_well(
    client: TestClient, logged: list[dict[str, Any]]
) -> None:
    for route in ("/healthz", "/readyz", "/metrics"):
        client.get(route)
    assert logged == []


def test_of_an_exception_only_kind_and_place_are_logged() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), info)
    entry = json.loads(JsonFormatter().format(record))
    assert entry["error"] == "ValueError"
    assert "test_observe" in entry["where"]
    assert SECRET not in json.dumps({**entry, "where": ""})


def test_a_request_is_a_span_without_its_text_query_or_key(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer", lambda *_: provider.get_tracer("test"))
    app = client.app
    observed = observe.Observe(app, app.state.service.metrics)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    # Not entered: the service that it wraps runs already.
    asked = TestClient(observed, raise_server_exceptions=False)
    asked.portal = client.portal
    response = asked.post(
        f"/v1/classify?key={SECRET}",
        json={"text": SECRET},
        headers={"traceparent": parent, "X-API-Key": SECRET},
    )
    assert response.status_code == 200
    [span] = spans.get_finished_spans()
    assert span.name == "POST /v1/classify"
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == parent.split("-")[1]
    assert span.attributes is not None
    assert span.attributes["status"] == 200
    assert SECRET not in span.to_json()


def test_traces_without_the_exporter_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with (
        pytest.raises(ServingError, match=r"narrascope\[tracing\]"),
        tracing.tracing(),
    ):
        pytest.fail("traced without an exporter")


def test_without_an_endpoint_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    before = trace.get_tracer_provider()
    with tracing.tracing():
        assert trace.get_tracer_provider() is before


def test_the_dashboard_shows_only_metrics_that_there_are(client: TestClient) -> None:
    client.post("/v1/classify", json=ASKED)
    client.post("/v1/classify", json={"text": "12345"})
    known = client.get("/metrics").text
    panels = json.loads(Path("docs/grafana.json").read_text(encoding="utf-8"))["panels"]
    named = set(re.findall(r"(?:narrascope|process)_\w+", json.dumps(panels)))
    assert len(named) > 12
    for name in named - {"narrascope_cautions_total"}:
        assert name in known
    assert "narrascope_cautions" in known
