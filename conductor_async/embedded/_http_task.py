"""Performs HTTP tasks: sends the request that a task describes, and turns the response into the task's output."""

from __future__ import annotations

import json
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import anyio.to_thread
import httpx

from conductor_async.devserver.runtime import Outcome
from conductor_async.embedded._http_request import RejectedRequestError, read_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async.embedded._http_request import HttpRequest
    from conductor_async.models import JsonObject

__all__ = ["HttpTasks"]

_DEFAULT_TIMEOUT_MILLIS = 3000
"""The time to connect, and between two pieces of the response, unless the task sets another."""


class HttpTasks:
    """Performs HTTP tasks.

    Args:
        client: The user's `httpx.AsyncClient`. It is used as it is and never closed here. By default one that follows
            redirects.
        mounts: Transports for the default client by URL pattern, as httpx has them.
        hosts: The only hosts that tasks may reach: `name` or `name:port`. None: all.
    """

    def __init__(
        self,
        client: httpx.AsyncClient | None = None,
        mounts: Mapping[str, httpx.AsyncBaseTransport | None] | None = None,
        hosts: Sequence[str] | None = None,
    ) -> None:
        self._hosts = None if hosts is None else frozenset(host.lower() for host in hosts)
        self._client = client
        self._mounts = mounts
        self._own: httpx.AsyncClient | None = None

    async def perform(self, task_input: JsonObject) -> Outcome:
        """Returns how a task with this input ends, in the server's words."""
        http_request = task_input.get("http_request")
        described = cast("JsonObject", http_request if isinstance(http_request, dict) else task_input)
        if described.get("uri") is None:
            reason = "Missing HTTP URI.  See documentation for HttpTask for required input parameters"
            return Outcome("FAILED", reason=reason)
        if described.get("method") is None:
            return Outcome("FAILED", reason="No HTTP method specified")
        try:
            request = read_request(described)
        except RejectedRequestError as error:
            return _failed(str(error))
        method, uri = request.method, request.uri
        try:
            response = await self._send(request, described)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
            return _failed(request.failure(_java_message(error, uri)))
        if not response.is_success:
            body = f'"{response.text}"' if response.text else "[no body]"
            status = f"{response.status_code} {_phrase(response)}"
            return _failed(f'java.lang.Exception: {status} on {method} request for "{uri}": {body}')
        status = "IN_PROGRESS" if task_input.get("asyncComplete") is True else "COMPLETED"
        return Outcome(status, {"response": _output_of(response)})

    async def aclose(self) -> None:
        """Closes the connections."""
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()

    async def _send(self, described: HttpRequest, task_input: JsonObject) -> httpx.Response:
        client = self._client or self._own or await self._open()
        method, uri, headers, content = described
        timeout = httpx.Timeout(
            None, connect=_timeout(task_input.get("connectionTimeOut")), read=_timeout(task_input.get("readTimeOut"))
        )
        request = client.build_request(method, uri, headers=headers, content=content, timeout=timeout)
        if self._hosts is None:
            return await client.send(request)
        return await self._send_within(self._hosts, client, request)

    async def _send_within(
        self, hosts: frozenset[str], client: httpx.AsyncClient, request: httpx.Request
    ) -> httpx.Response:
        """Sends a request and follows its redirects, as far as they lead to these hosts."""
        for _ in range(client.max_redirects + 1):
            url = request.url
            if url.host.lower() not in hosts and f"{url.host.lower()}:{url.port}" not in hosts:
                raise httpx.UnsupportedProtocol(f"HTTP tasks may not reach {url.host!r}: it is not in http_hosts")
            response = await client.send(request, follow_redirects=False)
            if response.next_request is None or not client.follow_redirects:
                return response
            request = response.next_request
        raise httpx.TooManyRedirects("Exceeded maximum allowed redirects.", request=request)

    async def _open(self) -> httpx.AsyncClient:
        """Returns the default client. A thread loads the certificates, because that would block the event loop."""
        context = await anyio.to_thread.run_sync(httpx.create_ssl_context)
        if self._own is None:  # another task may have been faster
            self._own = httpx.AsyncClient(follow_redirects=True, mounts=self._mounts, verify=context)
        return self._own


def _timeout(milliseconds: Any) -> float | None:
    """Returns seconds; None means no limit."""
    value = _DEFAULT_TIMEOUT_MILLIS if milliseconds is None else int(milliseconds)
    return value / 1000 if value > 0 else None


def _failed(error: str) -> Outcome:
    return Outcome("FAILED", {"response": error}, f"Failed to invoke HTTP task due to: {error}")


def _java_message(error: Exception, uri: str) -> str:
    if isinstance(error, httpx.UnsupportedProtocol):
        return _unsupported(error, uri)
    if isinstance(error, httpx.ConnectError):
        url = httpx.URL(uri)
        if _has_cause(error, socket.gaierror):
            return f"{url.host}: Name or service not known"
        if _has_cause(error, ssl.SSLError):
            return "Unsupported or unrecognized SSL message"
        return f"Connect to {url.scheme}://{url.netloc.decode()} failed: Connection refused"
    if isinstance(error, httpx.ConnectTimeout):
        return "Connect timed out"
    if isinstance(error, httpx.ReadTimeout):
        return "Read timed out"
    return str(error) or type(error).__name__


def _unsupported(error: httpx.UnsupportedProtocol, uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    host = rest.partition("/")[0]
    if not host:
        return "Target host is not specified"
    return str(error) if scheme in {"http", "https"} else f"Unroutable protocol scheme: {scheme}://{host}"


def _has_cause(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Returns whether an error of this kind led to another one."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error is not None


def _output_of(response: httpx.Response) -> JsonObject:
    headers: dict[str, list[str]] = {}
    for name, value in response.headers.raw:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return {
        "headers": headers,
        "reasonPhrase": _phrase(response),
        "body": _body(response.text) if response.text else None,
        "statusCode": response.status_code,
    }


def _phrase(response: httpx.Response) -> str:
    try:
        return HTTPStatus(response.status_code).phrase
    except ValueError:
        return response.reason_phrase


def _body(text: str) -> Any:
    """Reads a body as the server does: objects, lists and strings as JSON, numbers as floats, the rest as text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict | list | str):
        return cast("Any", value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return float(value)
