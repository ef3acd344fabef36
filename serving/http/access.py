"""Who may ask: API keys with scopes, and how many texts a minute each of them."""

import math
import time
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address

from fastapi import Request

from serving.http.calls import call_of
from serving.http.problems import RefusedError
from serving.keys import Key, KeyFile, Scope

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Allowance:
    """Texts that a key may still send: a bucket that a minute fills."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with a whole minute's worth."""
        self._per_minute = per_minute
        self._left = float(per_minute)
        self._clock = clock
        self._seen = clock()

    def take(self, texts: int) -> float:
        """Take from the bucket, or return the seconds until there is enough in it.

        A request larger than the bucket is let through when it is full, and empties it below zero.
        """
        now = self._clock()
        rate = self._per_minute / 60
        self._left = min(self._per_minute, self._left + (now - self._seen) * rate)
        self._seen = now
        missing = min(texts, self._per_minute) - self._left
        if missing > 0:
            return missing / rate
        self._left -= texts
        return 0


class Access:
    """Lets requests in by their key; without any keys everybody is let in."""

    def __init__(self, keys: KeyFile) -> None:
        """Take the keys."""
        self._keys = keys
        self._allowances: dict[str, tuple[int, Allowance]] = {}

    def check(self, request: Request, scope: Scope) -> None:
        """Find the request's key.

        Raises:
            RefusedError: the key is missing, not ours, or not for this scope.
        """
        if not self._keys.needed:
            return
        presented = _presented(request)
        if not presented:
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "A key is needed: send it as `Authorization: Bearer KEY`.",
                limit="key-missing",
                headers=_CHALLENGE,
            )
        key = self._keys.find(presented)
        if key is None:
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "The key is not known: it was mistyped or revoked.",
                limit="key-unknown",
                headers=_CHALLENGE,
            )
        call_of(request.scope).key = key
        if scope not in key.scopes:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                f"The key is not for this: ask for one with the scope {scope}.",
                limit="key-scope",
            )

    def seconds_until(self, key: Key | None, texts: int) -> float:
        """Count texts against a key; return 0, or how long it has to wait."""
        if key is None or key.per_minute is None:
            return 0
        per_minute, allowance = self._allowances.get(key.id, (0, None))
        if allowance is None or per_minute != key.per_minute:
            allowance = Allowance(key.per_minute)
            self._allowances[key.id] = key.per_minute, allowance
        return allowance.take(texts)

    def count(self, key: Key | None, texts: int) -> None:
        """Count texts against a key.

        Raises:
            RefusedError: the key has sent all that it may for now.
        """
        if seconds := self.seconds_until(key, texts):
            assert key is not None
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"The key may send {key.per_minute} texts a minute: "
                f"send this again in {math.ceil(seconds)} s.",
                limit="key-rate",
                headers={"Retry-After": str(math.ceil(seconds))},
            )


def may(scope: Scope) -> Callable[[Request], None]:
    """Return a dependency that lets in requests whose key has a scope."""

    async def check(request: Request) -> None:
        request.app.state.service.access.check(request, scope)

    return check  # type: ignore[return-value]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _presented(request: Request) -> str:
    """Return the key of a request: a bearer token, X-API-Key, or `key` in the query.

    The last is how clients of Perspective API send it.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key") or request.query_params.get("key", "")
