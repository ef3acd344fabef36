"""The service over the tiny model, and what every refusal of it looks like."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.classifier import Classifier
from serving.http.app import create_app
from serving.settings import Settings

Refused = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def settings(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Limits that are small enough to be met; texts and ids of a megabyte fit the body."""
    return Settings(
        model=tiny_model,
        threads=1,
        max_body_bytes=2_000_000,
        max_text=500,
        max_items=8,
        keys=tmp_path_factory.mktemp("none") / "keys.json",
    )


@pytest.fixture(scope="session")
def classifier(tiny_model: Path) -> Classifier:
    """The tiny model, loaded once for those who start a service of their own."""
    return Classifier.load(tiny_model, threads=1)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """A started service; an exception in it is answered, as it is when deployed."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(scope="session")
def check_problem() -> Callable[..., None]:
    """The whole shape of a problem (RFC 9457), nothing beside it."""

    def check(problem: dict[str, Any], status: int, limit: str | None = None) -> None:
        assert problem["status"] == status, problem
        assert problem["type"] == "about:blank"
        assert problem["title"] == HTTPStatus(status).phrase
        assert isinstance(problem["detail"], str)
        assert problem["detail"]
        assert problem.get("limit") == limit
        assert problem.keys() - {"limit"} == {"type", "title", "status", "detail"}
        assert ("limit" in problem) == (limit is not None)

    return check


@pytest.fixture(scope="session")
def refused(check_problem: Callable[..., None]) -> Refused:
    """Checks that a response is a problem of this status and limit, and returns it."""

    def check(response: Any, status: int, limit: str | None = None) -> dict[str, Any]:
        assert response.status_code == status, response.text[:500]
        assert response.headers["content-type"] == "application/problem+json"
        check_problem(response.json(), status, limit)
        return response.json()

    return check
