"""The access token, for servers that require one: fetched at the first call, refreshed before it expires."""

from __future__ import annotations

import base64
import copy
import logging
import random
import time
from typing import TYPE_CHECKING, Any

import anyio

from conductor_async._backoff import Backoff
from conductor_async._http.json_reader import read_json
from conductor_async.errors import (
    APIError,
    AuthenticationError,
    EndpointNotAvailableError,
    NotFoundError,
    ResponseDecodeError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conductor_async.errors import ConductorError

logger = logging.getLogger("conductor_async")

_REFRESH_AT = 0.8  # of the token's lifetime
# A server that cannot be reached may be back soon. A server that rejects the key is asked less often.
_UNREACHABLE_BACKOFF = Backoff(0.5, limit=2.0, jitter=0.5)
_REJECTED_BACKOFF = Backoff(0.5, limit=60.0, jitter=0.5)


class TokenCache:
    """Keeps one token, and refreshes it after 80 % of its lifetime.

    One caller fetches the new token. Callers that have an old one use it meanwhile, and also when a refresh fails. A
    server without `/token` needs no token: it is asked once.

    Args:
        fetch: Fetches a token from the server.
        time_to_live: Seconds that a token lives, unless the token itself states a shorter lifetime.
    """

    def __init__(self, fetch: Callable[[], Awaitable[str]], time_to_live: float) -> None:
        self._fetch = fetch
        self._time_to_live = time_to_live
        self._token: str | None = None
        self._refresh_at = 0.0
        self._rejected = False
        self._token_not_needed = False
        self._failures = 0
        self._last_error: ConductorError | None = None
        self._retry_at = 0.0
        self._lock = anyio.Lock()

    async def token(self) -> str | None:
        """Returns the token to send, or None for a server that needs none.

        Raises:
            AuthenticationError: The key or the secret is wrong.
            ConductorError: There is no token yet, and the server could not be asked for one.
        """
        if self._is_current():
            return self._token
        if self._token is not None and not self._rejected and self._lock.statistics().locked:
            return self._token  # another caller is fetching a new one
        async with self._lock:
            if self._is_current():  # another caller has fetched it while this one waited for the lock
                return self._token
            if self._last_error is not None and time.monotonic() < self._retry_at:
                return self._old_token_or_raise(self._last_error)
            return await self._refresh()

    def reject(self, token: str | None) -> None:
        """Notes that the server has rejected this token. If there is no newer one, the next caller fetches one."""
        if token == self._token:
            self._refresh_at, self._rejected = 0.0, True

    def _is_current(self) -> bool:
        return self._token_not_needed or time.monotonic() < self._refresh_at

    async def _refresh(self) -> str | None:
        try:
            token = await self._fetch()
        except (NotFoundError, EndpointNotAvailableError):
            logger.info("The server has no endpoint /token, so it needs no token: the access key is not used.")
            self._token_not_needed, self._token = True, None
            return None
        except (TransportError, APIError, ResponseDecodeError) as error:
            return self._note_failure(error)
        lifetime = min(self._time_to_live, _stated_lifetime(token) or self._time_to_live)
        # Jitter keeps the clients of one server from refreshing all at the same time.
        self._refresh_at = time.monotonic() + lifetime * _REFRESH_AT * random.uniform(0.9, 1.0)  # noqa: S311
        self._token, self._rejected, self._last_error, self._failures = token, False, None, 0
        return token

    def _note_failure(self, error: ConductorError) -> str:
        self._failures += 1
        backoff = _REJECTED_BACKOFF if isinstance(error, APIError) else _UNREACHABLE_BACKOFF
        delay = backoff.delay(self._failures)
        self._retry_at = time.monotonic() + delay
        self._last_error = error
        if self._token is not None:
            logger.warning(
                "Refreshing the access token failed; the old one stays in use, next try in %.1f s: %s", delay, error
            )
        return self._old_token_or_raise(error)

    def _old_token_or_raise(self, error: ConductorError) -> str:
        if self._token is not None:
            return self._token
        raise copy.copy(error) from error  # a copy: many callers raise it, and each adds its own traceback


def token_of(body: Mapping[str, Any], *, status: int) -> str:
    """Returns the token in a response of `POST /token`.

    Raises:
        AuthenticationError: There is none, or it cannot be sent.
    """
    token: object = body.get("token")
    if isinstance(token, str) and token and token.isascii() and token.isprintable():  # else it cannot be a header
        return token
    raise AuthenticationError(
        "The response of POST /token has no usable token: check the key and the secret",
        status=status,
        message="no token in the response",
        method="POST",
        route="/token",
    )


def _stated_lifetime(token: str) -> float | None:
    """Returns the seconds that a JSON Web Token states as its lifetime; None for any other token."""
    try:
        payload = token.split(".")[1]
        claims = read_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        # The difference, not the date: the server's clock may differ from ours.
        lifetime = float(claims["exp"]) - float(claims["iat"])
    except (ValueError, LookupError, TypeError):
        return None
    return lifetime if lifetime > 0 else None
