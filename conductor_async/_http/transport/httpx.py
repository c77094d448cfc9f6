"""The transports over httpx: through an injected client, or through one of httpx's own transports."""

from __future__ import annotations

import functools
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import anyio
import httpx

from conductor_async._http.decompression import UnreadableResponseError, check_headers, read_body
from conductor_async._http.transport.interface import NotSentError, Response, SendError, TransportTimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class _HttpxBase(ABC):
    def __init__(self, max_response_size: int) -> None:
        self._max_response_size = max_response_size

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, connect_timeout: float
    ) -> Response:
        """Sends a request and returns the complete response: see `Transport.send`."""
        try:
            request = _request(method, url, headers, content)
            timeouts = {"connect": connect_timeout, "pool": connect_timeout, "read": None, "write": None}
            request.extensions["timeout"] = timeouts
            response = await self._exchange(request)
            try:
                return await self._read(response)
            finally:
                await response.aclose()
        except httpx.DecodingError as error:
            raise UnreadableResponseError("is not compressed as its Content-Encoding says") from error
        except _transport_errors() as error:
            raise _error_class(error)(_reason(error)) from error

    @abstractmethod
    async def _exchange(self, request: httpx.Request) -> httpx.Response: ...

    @abstractmethod
    def _chunks(self, response: httpx.Response) -> tuple[AsyncIterator[bytes], str]:
        """Returns the body as it arrives, and its Content-Encoding (empty if httpx decompresses it)."""

    async def _read(self, response: httpx.Response) -> Response:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
        chunks, content_encoding = self._chunks(response)
        try:
            status, max_size = response.status_code, self._max_response_size
            check_headers(headers, status=status)
            body = await read_body(chunks, content_encoding, max_size=max_size, status=status)
        except UnreadableResponseError:
            await _close_stream(chunks)
            raise
        return Response(status, headers, body)


class HttpxTransport(_HttpxBase):
    """Sends through a transport of httpx.

    Args:
        transport: The transport. Closing this closes it.
        max_response_size: The most bytes of a response body, decompressed.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, max_response_size: int) -> None:
        super().__init__(max_response_size)
        self._transport = transport

    def abandon(self) -> None:
        """Leaves the connections to the garbage collector: httpx cannot close them without waiting."""

    async def aclose(self) -> None:
        """Closes the transport."""
        await self._transport.aclose()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    def _chunks(self, response: httpx.Response) -> tuple[AsyncIterator[bytes], str]:
        return aiter(response.stream), response.headers.get("content-encoding", "")  # type: ignore[arg-type]


class HttpxClientTransport(_HttpxBase):
    """Sends through an injected client, without changing it.

    Args:
        client: The client. Its owner closes it.
        max_response_size: The most bytes of a response body, decompressed.
    """

    def __init__(self, client: httpx.AsyncClient, max_response_size: int) -> None:
        super().__init__(max_response_size)
        self._client = client

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, connect_timeout: float
    ) -> Response:
        """Sends a request, with the client's own headers too: see `Transport.send`."""
        ours = {name.lower() for name in headers}
        theirs = {name: value for name, value in self._client.headers.items() if name not in ours}
        return await super().send(method, url, {**theirs, **headers}, content, connect_timeout=connect_timeout)

    def abandon(self) -> None:
        """Leaves the connections to the garbage collector: httpx cannot close them without waiting."""

    async def aclose(self) -> None:
        """Does nothing: the client belongs to its owner."""

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True, follow_redirects=False)

    def _chunks(self, response: httpx.Response) -> tuple[AsyncIterator[bytes], str]:
        return response.aiter_bytes(), ""  # the client decompresses by itself


def _transport_errors() -> tuple[type[Exception], ...]:
    """Errors of httpx and the system, and those of aiohttp, which httpx-aiohttp lets through."""
    known: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
    aiohttp = sys.modules.get("aiohttp")
    return (*known, aiohttp.ClientError) if aiohttp else known


def _error_class(error: Exception) -> type[SendError]:
    """Returns the class of `SendError` that an error stands for.

    The client may use aiohttp as its transport (httpx-aiohttp). That reports both a refused connection and one that
    the server closed after it had read the request as `httpx.ConnectTimeout`. Only the cause tells them apart.
    """
    aiohttp = sys.modules.get("aiohttp")
    cause = error if aiohttp and isinstance(error, aiohttp.ClientError) else error.__cause__
    if aiohttp and isinstance(cause, aiohttp.ClientError):
        from conductor_async._http.transport.aiohttp import was_not_sent

        not_sent = was_not_sent(cause)
    else:
        not_sent = isinstance(error, _NOT_SENT)
    if not_sent:
        return NotSentError
    timed_out = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
    return TransportTimeoutError if timed_out else SendError


def _reason(error: BaseException) -> str:
    # The first cause that has a text: httpcore wraps errors in others without one.
    cause = error.__cause__ or error
    while not str(cause) and (deeper := cause.__cause__ or cause.__context__):
        cause = deeper
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(error.__cause__ or error).__name__


@functools.lru_cache(maxsize=512)
def _parsed(url: str) -> tuple[httpx.URL, bytes]:
    parsed = httpx.URL(url)
    return parsed, parsed.netloc


def _request(method: str, url: str, headers: Mapping[str, str], content: bytes) -> httpx.Request:
    # With a stream, httpx.Request does not prepare the headers, which would cost more than all the rest.
    parsed, host = _parsed(url)
    raw = [(b"Host", host), *((name.encode(), value.encode()) for name, value in headers.items())]
    if content or method in ("POST", "PUT"):
        raw.append((b"Content-Length", b"%d" % len(content)))
    request = httpx.Request(method, parsed, headers=httpx.Headers(raw, encoding="utf-8"), stream=_Content(content))
    request.read()
    return request


class _Content(httpx.ByteStream):
    """A request body. Iterated without a generator: trio warns of generators that a cancelled call leaves suspended."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content)


class _Once:
    """An iterator over one item."""

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content


async def _close_stream(stream: AsyncIterator[bytes]) -> None:
    # Finishes the transport's suspended generators. If the garbage collector had to, trio would warn.
    with anyio.CancelScope() as scope:
        scope.cancel()
        async for _ in stream:
            pass
