"""Who is let in: keys, scopes, rates; and everybody where there are no keys."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving import keys
from serving.classifier import Classifier
from serving.http.access import Allowance, is_loopback
from serving.http.app import create_app
from serving.settings import Settings

Refused = Callable[..., dict[str, Any]]

ASKED = {"text": "The red tractor is good."}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def known(path: Path) -> dict[str, str]:
    return {
        "classify": keys.mint(path, "classify", ["classify"]),
        "metrics": keys.mint(path, "metrics", ["metrics"]),
        "slow": keys.mint(path, "slow", ["classify"], 3),
    }


@pytest.fixture(scope="module")
def locked(
    settings: Settings, path: Path, known: dict[str, str], classifier: Classifier
) -> Iterator[TestClient]:
    assert known
    app = create_app(settings.model_copy(update={"keys": path}), classifier)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


CLOSED = [
    ("POST", "/v1/classify"),
    ("POST", "/v1/classify/batch"),
    ("POST", "/v1/classify/stream"),
    ("GET", "/v1/model"),
    ("GET", "/metrics"),
]


@pytest.mark.parametrize(("method", "route"), CLOSED)
def test_without_a_key_nothing_is_answered(
    locked: TestClient, refused: Refused, method: str, route: str
) -> None:
    response = locked.request(method, route)
    refused(response, 401, "key-missing")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "route"), CLOSED)
def test_an_unknown_key_is_refused_and_not_repeated(
    locked: TestClient, refused: Refused, method: str, route: str
) -> None:
    problem = refused(
        locked.request(method, route, headers=_bearer("Zanzibar")), 401, "key-unknown"
    )
    assert "Zanzibar" not in str(problem)


@pytest.mark.parametrize("route", ["/healthz", "/readyz", "/docs", "/openapi.json"])
def test_state_and_description_are_open(locked: TestClient, route: str) -> None:
    assert locked.get(route).status_code == 200


def test_a_key_lets_in_however_it_is_sent(locked: TestClient, known: dict[str, str]) -> None:
    key = known["classify"]
    for options in (
        {"headers": _bearer(key)},
        {"headers": {"Authorization": f"bearer  {key} "}},
        {"headers": {"X-API-Key": key}},
        {"params": {"key": key}},
    ):
        assert locked.post("/v1/classify", json=ASKED, **options).status_code == 200


def test_a_key_is_for_its_scopes_alone(
    locked: TestClient, known: dict[str, str], refused: Refused
) -> None:
    for scope, method, route in (
        ("classify", "POST", "/v1/classify"),
        ("metrics", "GET", "/metrics"),
    ):
        for name in ("classify", "metrics"):
            response = locked.request(method, route, json=ASKED, headers=_bearer(known[name]))
            if name == scope:
                assert response.status_code == 200
            else:
                assert scope in refused(response, 403, "key-scope")["detail"]


def test_a_key_is_checked_before_the_body_is_read(locked: TestClient, refused: Refused) -> None:
    refused(locked.post("/v1/classify", content=b"{"), 401, "key-missing")


def test_a_revoked_key_is_refused_at_once(locked: TestClient, path: Path, refused: Refused) -> None:
    key = keys.mint(path, "short", ["classify"])
    assert locked.post("/v1/classify", json=ASKED, headers=_bearer(key)).status_code == 200
    keys.revoke(path, keys.identifier(key))
    refused(locked.post("/v1/classify", json=ASKED, headers=_bearer(key)), 401, "key-unknown")


def test_a_key_with_a_rate_is_told_when_it_may_send_again(
    locked: TestClient, known: dict[str, str], refused: Refused
) -> None:
    statuses = [
        locked.post("/v1/classify", json=ASKED, headers=_bearer(known["slow"])) for _ in range(4)
    ]
    assert [response.status_code for response in statuses[:3]] == [200] * 3
    refused(statuses[3], 429, "key-rate")
    assert 1 <= int(statuses[3].headers["retry-after"]) <= 20
    assert locked.post("/v1/classify", json=ASKED, headers=_bearer(known["classify"])).is_success


def test_without_keys_everybody_is_let_in(client: TestClient) -> None:
    assert client.post("/v1/classify", json=ASKED).status_code == 200
    assert client.post("/v1/classify", json=ASKED, headers=_bearer("x")).status_code == 200


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_allowance_fills_by_the_minute() -> None:
    clock = _Clock()
    allowance = Allowance(60, clock)
    assert allowance.take(60) == 0
    assert allowance.take(1) == pytest.approx(1)
    clock.now = 10
    assert allowance.take(10) == 0
    assert allowance.take(5) == pytest.approx(5)


def test_a_batch_larger_than_the_allowance_is_taken_when_it_is_full_and_paid_for() -> None:
    clock = _Clock()
    allowance = Allowance(60, clock)
    assert allowance.take(120) == 0
    assert allowance.take(1) == pytest.approx(61)
    clock.now = 61
    assert allowance.take(1) == 0


@pytest.mark.parametrize("clock_step", [0.0, -100.0])
def test_a_clock_that_stands_still_gives_nothing_away(clock_step: float) -> None:
    clock = _Clock()
    allowance = Allowance(1, clock)
    allowance.take(1)
    clock.now += clock_step
    assert allowance.take(1) > 0


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_only_loopback_is_taken_for_loopback(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours
