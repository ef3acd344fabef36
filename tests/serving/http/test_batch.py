"""Several texts: an answer for each, in order, whatever its neighbours are."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.settings import Settings

Refused = Callable[..., dict[str, Any]]

GOOD = "The government said on Monday that the red tractor is good for the people of the country."
BAD = {
    "empty": ("", 422, "text-empty"),
    "white": (" \n\t\u00a0\u2003", 422, "text-empty"),
    "nul": ("one\0two", 422, "text-nul"),
    "half": ("one \ud83d two", 422, "text-surrogate"),
    "long": ("x" * 501, 413, "text-length"),
}


def _batch(client: TestClient, *items: dict[str, Any], **fields: Any) -> Any:
    # Escaped to ASCII by hand: half a surrogate pair has no bytes of its own.
    content = json.dumps({"items": items, **fields}).encode("ascii")
    headers = {"content-type": "application/json"}
    return client.post("/v1/classify/batch", content=content, headers=headers)


def _results(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.json().keys() == {"results"}
    return response.json()["results"]


def test_each_result_is_the_prediction_of_its_item_in_order(client: TestClient) -> None:
    texts = {"z": GOOD, "a": "Boats.", "m": GOOD * 4, "b": "Поезд зелёный и хороший."}
    items = [{"id": name, "text": text} for name, text in texts.items()]
    results = _results(_batch(client, *items))
    assert [result["id"] for result in results] == list(texts)
    for item, result in zip(items, results, strict=True):
        alone = client.post("/v1/classify", json=item).json()
        assert _places(result) == _places(alone)
        assert result.keys() == alone.keys()


def _places(prediction: dict[str, Any]) -> Any:
    # Beside other texts a confidence may differ in its last digit, and so the order of findings.
    places = {(f["narrative"], f["begin"], f["end"]) for f in prediction["narratives"]}
    return prediction["language"], prediction["model"], places


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_text_is_an_error_of_its_own_beside_good_ones(
    client: TestClient, check_problem: Callable[..., None], kind: str
) -> None:
    text, status, limit = BAD[kind]
    items = [("first", GOOD), (kind, text), ("last", GOOD)]
    response = _batch(client, *({"id": name, "text": text} for name, text in items))
    first, failed, last = _results(response)
    assert failed.keys() == {"id", "error"}
    assert failed["id"] == kind
    check_problem(failed["error"], status, limit)
    assert (first["id"], last["id"]) == ("first", "last")
    alone = client.post("/v1/classify", json={"text": GOOD}).json()
    assert _places(first) == _places(last) == _places(alone)
    assert "null" not in response.text


def test_good_and_bad_in_turns_keep_their_places(client: TestClient) -> None:
    items = [{"id": "good", "text": GOOD}]
    for kind in ("nul", "long", "empty"):
        items += [{"id": kind, "text": BAD[kind][0]}, {"id": "good", "text": GOOD}]
    results = _results(_batch(client, *items))
    assert [result["id"] for result in results] == [item["id"] for item in items]
    assert all(("error" in result) == (result["id"] != "good") for result in results)


def test_bad_items_alone_are_answered_one_by_one(client: TestClient) -> None:
    results = _results(_batch(client, *({"id": kind, "text": BAD[kind][0]} for kind in BAD)))
    assert [result["error"]["limit"] for result in results] == [bad[2] for bad in BAD.values()]


def test_an_item_that_is_too_long_is_told_both_lengths(client: TestClient) -> None:
    result = _results(_batch(client, {"id": "1", "text": BAD["long"][0]}))[0]
    assert "501" in result["error"]["detail"]
    assert "500" in result["error"]["detail"]


def test_ids_that_stand_twice_are_kept(client: TestClient) -> None:
    items = [{"id": "same", "text": GOOD}, {"id": "same", "text": ""}, {"id": "same", "text": GOOD}]
    results = _results(_batch(client, *items))
    assert [result["id"] for result in results] == ["same"] * 3
    assert ["error" in result for result in results] == [False, True, False]


@pytest.mark.parametrize("asked", [True, False])
def test_scores_are_there_for_every_item_only_if_asked(client: TestClient, asked: bool) -> None:
    items = [{"id": str(index), "text": GOOD} for index in range(2)]
    results = _results(_batch(client, *items, scores=asked))
    assert [("scores" in result) for result in results] == [asked] * 2


def test_a_batch_at_the_limit_is_taken(client: TestClient, settings: Settings) -> None:
    items = [{"id": str(index), "text": GOOD} for index in range(settings.max_items)]
    assert len(_results(_batch(client, *items))) == settings.max_items


def test_too_many_items_are_refused_with_the_limit(
    client: TestClient, settings: Settings, refused: Refused
) -> None:
    items = [{"id": str(index), "text": GOOD} for index in range(settings.max_items + 1)]
    problem = refused(_batch(client, *items), 413, "batch-items")
    assert f"{settings.max_items + 1} items" in problem["detail"]
    assert f"at most {settings.max_items} " in problem["detail"]


def test_an_empty_list_is_refused_by_name(client: TestClient, refused: Refused) -> None:
    assert refused(_batch(client), 422)["detail"].startswith("items: ")


@pytest.mark.parametrize(
    ("item", "begins", "given"),
    [
        ({"text": GOOD}, "id: ", None),
        ({"id": None, "text": GOOD}, "id: ", None),
        ({"id": 7, "text": GOOD}, "id: ", None),
        ({"id": [GOOD], "text": GOOD}, "id: ", None),
        ({"id": "x" * 257, "text": GOOD}, "id: ", None),
        ({"id": "\ud800", "text": GOOD}, "id: ", None),
        ({"id": "1"}, "text: ", "1"),
        ({"id": "1", "text": None}, "text: ", "1"),
        ({"id": "1", "text": 7}, "text: ", "1"),
        ({"id": "1", "text": [GOOD]}, "text: ", "1"),
        ({"id": "1", "text": {"text": GOOD}}, "text: ", "1"),
        ({"id": "1", "text": GOOD, "label": "x"}, "", "1"),
        (GOOD, "", None),
        ([GOOD], "", None),
        (None, "", None),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_an_item_of_the_wrong_shape_is_an_error_of_its_own(
    client: TestClient,
    check_problem: Callable[..., None],
    item: Any,
    begins: str,
    given: str | None,
) -> None:
    response = _batch(client, {"id": "0", "text": "A boat."}, item, {"id": "2", "text": "A boat."})
    first, failed, last = _results(response)
    assert (first["id"], last["id"]) == ("0", "2")
    assert "error" not in first.keys() | last.keys()
    check_problem(failed["error"], 422)
    assert failed["error"]["detail"].startswith(begins)
    assert GOOD[:20] not in failed["error"]["detail"]
    # An id that cannot be given back is left out, and not null.
    assert failed.get("id") == given
    assert failed.keys() == ({"error"} if given is None else {"id", "error"})
    assert "null" not in response.text


def test_an_unknown_field_of_an_item_is_not_repeated(client: TestClient) -> None:
    failed = _results(_batch(client, {"id": "1", "text": "A boat.", "Zanzibarquux": 1}))[0]
    assert failed["error"]["status"] == 422
    assert "Zanzibarquux" not in failed["error"]["detail"]


@pytest.mark.parametrize("items", [None, "A boat.", {}, {"id": "1", "text": GOOD}, 7], ids=ascii)
def test_items_that_are_no_list_are_refused_by_name(
    client: TestClient, refused: Refused, items: Any
) -> None:
    problem = refused(client.post("/v1/classify/batch", json={"items": items}), 422)
    assert problem["detail"].startswith("items: ")
    assert GOOD not in problem["detail"]
