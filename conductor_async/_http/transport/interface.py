"""What a session needs of an HTTP library: one request sent as it is, and its whole answer or what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Response(NamedTuple):
    """A whole answer. The names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """The way to one server. It belongs to the event loop that it was made in."""

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, connect_timeout: float
    ) -> Response:
        """Sends a request once, as it is, and reads the answer. Redirects are not followed.

        Args:
            method: The HTTP method.
            url: The whole URL, quoted as it is to be sent.
            headers: All of them but `Host` and `Content-Length`.
            content: The body.
            connect_timeout: Seconds until there is a connection. Everything else takes as long as it takes.

        Raises:
            WireError: There is no answer.
            UnreadableError: There is one that cannot be read to its end.
        """
        ...

    async def aclose(self) -> None:
        """Closes the connections, if they are ours to close. Requests under way fail."""
        ...


class SendError(Exception):
    """The connection broke before the answer was read; the request may have been carried out. Its text says why."""


class NotSentError(SendError):
    """The request provably never left."""


class TransportTimeoutError(SendError):
    """The HTTP library has waited for as long as it was told to."""
