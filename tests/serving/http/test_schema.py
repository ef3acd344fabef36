"""The OpenAPI description is kept: whatever it lets a caller send, the service answers as it says.

Schemathesis makes requests out of the description, good and bad, one by one and in sequences that
carry what was sent and answered from one request to the next.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import CheckFunction, GenerationMode
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.serving.http.running import Running

EXAMPLES = 25
SEQUENCES = 10
STEPS = 6

ROUTES: dict[tuple[str, str], list[CheckFunction]] = {
    ("post", "/v1/classify"): [],
    # What is wrong with one of several texts is told beside the others' answers.
    ("post", "/v1/classify/batch"): [negative_data_rejection],
    ("post", "/v1/classify/stream"): [negative_data_rejection],
    ("get", "/v1/model"): [],
    ("get", "/metrics"): [],
    ("get", "/healthz"): [],
    ("get", "/readyz"): [],
    # Which attributes there are is the model's, and which texts are pairs no schema says.
    ("post", "/v1alpha1/comments:analyze"): [positive_data_acceptance],
    ("post", "/predict"): [positive_data_acceptance],
}
"""Every route, and the checks that cannot hold for it."""
LINKS = {
    "batch": (
        "/v1/classify/batch",
        {"items": [{"id": "$response.body#/language", "text": "$request.body#/text"}]},
    ),
    "again": ("/v1/classify", {"text": "$request.body#/text", "id": "$response.body#/model"}),
    "predict": ("/predict", {"inputs": "$request.body#/text"}),
}
"""What is asked of a text that has been classified."""

bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(tiny_model, tmp_path_factory.mktemp("described"))
    yield started
    started.kill()


@pytest.fixture(scope="module")
def description(described: Running) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{described.port}/openapi.json")


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("method", "route", "mode"),
    [
        (method, route, mode)
        for method, route in ROUTES
        for mode in GenerationMode
        # A route without a body has nothing that could be wrong.
        if method == "post" or mode is GenerationMode.POSITIVE
    ],
)
def test_every_route_answers_as_it_is_described(
    description: Any, method: str, route: str, mode: GenerationMode
) -> None:
    operation = description[route][method]

    @bounded
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: schemathesis.Case) -> None:
        case.call_and_validate(excluded_checks=ROUTES[method, route])

    answers()


def test_no_route_is_left_out(description: Any) -> None:
    found = [each.ok() for each in description.get_all_operations()]
    assert [(each.method, each.path) for each in found] == list(ROUTES)


def test_sequences_of_requests_are_answered_as_they_are_described(
    described: Running, description: Any
) -> None:
    raw = httpx.get(f"http://127.0.0.1:{described.port}/openapi.json").json()
    found = raw["paths"]["/v1/classify"]["post"]["responses"]["200"]["links"] = {}
    for name, (route, content) in LINKS.items():
        reference = f"#/paths/{route.replace('/', '~1')}/post"
        found[name] = {"operationRef": reference, "requestBody": content}
    linked = schemathesis.openapi.from_dict(raw)
    linked.config.update(base_url=f"http://127.0.0.1:{described.port}")
    followed: list[str] = []

    class Sequences(linked.as_state_machine()):  # type: ignore[misc]
        def validate_response(self, response: Any, case: schemathesis.Case, **_: Any) -> None:
            followed.append(case.path)
            excluded = ROUTES[case.method.lower(), case.path]
            case.validate_response(response, excluded_checks=excluded)

    limits = settings(bounded, max_examples=SEQUENCES, stateful_step_count=STEPS)
    run_state_machine_as_test(Sequences, settings=limits)
    assert {route for route, _ in LINKS.values()} <= set(followed)
