"""What a session needs of an HTTP library: send one request, return its complete response or say what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Response(NamedTuple):
    """A complete response. The names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Connections to one server. It belongs to the event loop that it was made in."""

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, connect_timeout: float
    ) -> Response:
        """Sends a request once and returns the complete response. It does not follow redirects.

        Args:
            method: The HTTP method.
            url: The whole URL, already quoted.
            headers: All headers except `Host` and `Content-Length`.
            content: The body.
            connect_timeout: Seconds until a connection is available. Nothing else is limited here.

        Raises:
            SendError: No response arrived.
            UnreadableResponseError: The response cannot be read to its end.
        """
        ...

    def abandon(self) -> None:
        """Closes the connections without waiting, when nobody is left to close them properly."""
        ...

    async def aclose(self) -> None:
        """Closes the connections, unless they belong to an injected client. Requests in flight fail."""
        ...


class SendError(Exception):
    """The connection broke before the response was complete; the server may have processed the request.

    The text says why.
    """


class NotSentError(SendError):
    """The request provably never left."""


class TransportTimeoutError(SendError):
    """A timeout of the HTTP library's own ended the request."""
