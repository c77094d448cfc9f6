"""The access token, for servers that ask for one: fetched when first needed, renewed before it is old."""

from __future__ import annotations

import base64
import copy
import json
import logging
import random
import time
from typing import TYPE_CHECKING

import anyio

from conductor_async.errors import (
    APIError,
    EndpointNotAvailableError,
    NotFoundError,
    ResponseDecodeError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conductor_async.errors import ConductorError

logger = logging.getLogger("conductor_async")

_RENEW_AT = 0.8  # of the token's lifetime
_LONGEST_PAUSE = 60.0  # between tries, when the server refuses the key
_LONGEST_PAUSE_UNREACHED = 2.0  # between tries, when the server cannot be reached


class TokenCache:
    """Keeps the token fresh.

    However many callers need a token, one of them asks for it. Those who have an old one meanwhile go on with it; a
    refresh that fails keeps it. A server without `/token` is an open one: then there is no token, and no further
    request for it.

    Args:
        fetch: Asks the server for a token.
        time_to_live: Seconds after which a token counts as old, unless it says sooner itself.
    """

    def __init__(self, fetch: Callable[[], Awaitable[str]], time_to_live: float) -> None:
        self._fetch = fetch
        self._time_to_live = time_to_live
        self._token: str | None = None
        self._renew_at = 0.0
        self._spoiled = False
        self._open_server = False
        self._failures = 0
        self._failed: ConductorError | None = None
        self._pause_until = 0.0
        self._lock = anyio.Lock()

    async def token(self) -> str | None:
        """The token to send, or None for an open server.

        Raises:
            AuthenticationError: The key or the secret is wrong.
            ConductorError: There is no token yet, and the server could not be asked for one.
        """
        if self._open_server or time.monotonic() < self._renew_at:
            return self._token
        if self._token is not None and not self._spoiled and self._lock.statistics().locked:
            return self._token
        async with self._lock:
            if self._open_server or time.monotonic() < self._renew_at:  # another caller was quicker
                return self._token
            if self._failed is not None and time.monotonic() < self._pause_until:
                return self._go_on_after(self._failed)
            return await self._renew()

    def rejected(self, token: str | None) -> None:
        """The server refused this token: the next caller gets a new one, unless somebody has it already."""
        if token == self._token:
            self._renew_at, self._spoiled = 0.0, True

    async def _renew(self) -> str | None:
        try:
            token = await self._fetch()
        except (NotFoundError, EndpointNotAvailableError):
            logger.info("The server has no /token: it is an open server, and the access key is not used.")
            self._open_server, self._token = True, None
            return None
        except (TransportError, APIError, ResponseDecodeError) as error:
            return self._note_failure(error)
        lifetime = min(self._time_to_live, _lifetime(token) or self._time_to_live)
        self._renew_at = time.monotonic() + lifetime * _RENEW_AT * random.uniform(0.9, 1.0)  # noqa: S311
        self._token, self._spoiled, self._failed, self._failures = token, False, None, 0
        return token

    def _note_failure(self, error: ConductorError) -> str:
        self._failures += 1
        longest = _LONGEST_PAUSE if isinstance(error, APIError) else _LONGEST_PAUSE_UNREACHED
        self._pause_until = time.monotonic() + min(longest, 0.25 * 2.0**self._failures) * random.uniform(0.5, 1.0)  # noqa: S311
        self._failed = error
        if self._token is not None:
            logger.warning("The access token could not be renewed, the old one is used on: %s", error)
        return self._go_on_after(error)

    def _go_on_after(self, error: ConductorError) -> str:
        if self._token is not None:
            return self._token
        raise copy.copy(error) from error


def _lifetime(token: str) -> float | None:
    """Seconds that a JSON Web Token lives by its own account; None for any other token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        # The difference, not the date: the server's clock may be off from ours.
        lifetime = float(claims["exp"]) - float(claims["iat"])
    except (ValueError, LookupError, TypeError):
        return None
    return lifetime if lifetime > 0 else None
