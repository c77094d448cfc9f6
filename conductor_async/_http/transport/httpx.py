"""The way to a server through httpx: a client that was given to us, or one of httpx's transports."""

from __future__ import annotations

import functools
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import anyio
import httpx

from conductor_async._http.decompression import UnreadableError, whole
from conductor_async._http.transport.interface import NotSentError, SendError, TransportTimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from conductor_async._http.transport.interface import Response

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class _HttpxBase(ABC):
    def __init__(self, max_response_size: int) -> None:
        self._max_response_size = max_response_size

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, connect_timeout: float
    ) -> Response:
        """Sends a request, and reads the answer: see `Transport`."""
        try:
            request = _request(method, url, headers, content)
            times = {"connect": connect_timeout, "pool": connect_timeout, "read": None, "write": None}
            request.extensions["timeout"] = times
            response = await self._send(request)
            try:
                return await self._read(response)
            finally:
                await response.aclose()
        except httpx.DecodingError as error:
            raise UnreadableError("is not packed as its Content-Encoding says") from error
        except _transport_errors() as error:
            raise _kind(error)(_reason(error)) from error

    @abstractmethod
    async def _send(self, request: httpx.Request) -> httpx.Response: ...

    @abstractmethod
    def _pieces(self, response: httpx.Response) -> tuple[AsyncIterator[bytes], str]:
        """The body as it comes, and how it is packed."""

    async def _read(self, response: httpx.Response) -> Response:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
        pieces, packing = self._pieces(response)
        try:
            return await whole(response.status_code, headers, pieces, packing, self._max_response_size)
        except UnreadableError:
            await _abandon(pieces)
            raise


class HttpxTransport(_HttpxBase):
    """Over a transport.

    Args:
        transport: It is closed with this.
        max_response_size: Bytes of the largest answer that is read, unpacked.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, max_response_size: int) -> None:
        super().__init__(max_response_size)
        self._transport = transport

    async def aclose(self) -> None:
        """Closes the transport."""
        await self._transport.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    def _pieces(self, response: httpx.Response) -> tuple[AsyncIterator[bytes], str]:
        return aiter(response.stream), response.headers.get("content-encoding", "")  # type: ignore[arg-type]


class HttpxClientTransport(_HttpxBase):
    """Over a client, used as it is.

    Args:
        client: It is its owner's to close.
        max_response_size: Bytes of the largest answer that is read, unpacked.
    """

    def __init__(self, client: httpx.AsyncClient, max_response_size: int) -> None:
        super().__init__(max_response_size)
        self._client = client

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, connect_timeout: float
    ) -> Response:
        """Sends a request with the client's own headers too, and reads the answer: see `Transport`."""
        ours = {name.lower() for name in headers}
        theirs = {name: value for name, value in self._client.headers.items() if name not in ours}
        return await super().ask(method, url, {**theirs, **headers}, content, connect_timeout=connect_timeout)

    async def aclose(self) -> None:
        """Closes nothing."""

    async def _send(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True, follow_redirects=False)

    def _pieces(self, response: httpx.Response) -> tuple[AsyncIterator[bytes], str]:
        return response.aiter_bytes(), ""  # a client unpacks by itself


def _transport_errors() -> tuple[type[Exception], ...]:
    """Errors of httpx, of the system, and those of aiohttp that its transport for httpx lets through."""
    known: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
    aiohttp = sys.modules.get("aiohttp")
    return (*known, aiohttp.ClientError) if aiohttp else known


def _kind(error: Exception) -> type[SendError]:
    """What an error says of the request.

    A client may have aiohttp for its transport (httpx-aiohttp). That reports a refused connection, and also one that
    the server closed after it had read the request, as `httpx.ConnectTimeout`. Only the cause tells them apart.
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
    late = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
    return TransportTimeoutError if late else SendError


def _reason(error: BaseException) -> str:
    # The first cause that has something to say: httpcore wraps what it gets in errors without a text.
    cause = error.__cause__ or error
    while not str(cause) and (deeper := cause.__cause__ or cause.__context__):
        cause = deeper
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(error.__cause__ or error).__name__


@functools.lru_cache(maxsize=512)
def _parsed(url: str) -> tuple[httpx.URL, bytes]:
    parsed = httpx.URL(url)
    return parsed, parsed.netloc


def _request(method: str, url: str, headers: Mapping[str, str], content: bytes) -> httpx.Request:
    # With a stream, httpx.Request takes the headers as they are: preparing them costs it more than all the rest does.
    parsed, host = _parsed(url)
    raw = [(b"Host", host), *((name.encode(), value.encode()) for name, value in headers.items())]
    if content or method in ("POST", "PUT"):
        raw.append((b"Content-Length", b"%d" % len(content)))
    request = httpx.Request(method, parsed, headers=httpx.Headers(raw, encoding="utf-8"), stream=_Content(content))
    request.read()
    return request


class _Content(httpx.ByteStream):
    """What is sent. Iterated without a generator: trio warns of one that a cancelled call leaves where it waits."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content)


class _Once:
    """Yields one thing."""

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content


async def _abandon(stream: AsyncIterator[bytes]) -> None:
    # End the transport's generators where they wait. Left to the garbage collector, they make trio warn.
    with anyio.CancelScope() as scope:
        scope.cancel()
        async for _ in stream:
            pass
