"""HTTP tasks: the request that one describes, and what the server makes of the answer."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import anyio.to_thread
import httpx

from conductor_async.devserver.runtime import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async.models import JsonObject

__all__ = ["HttpTasks"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
_PATIENCE = 3000
"""Milliseconds to connect, and between two pieces of the answer, unless the task says otherwise."""


class HttpTasks:
    """Carries out HTTP tasks.

    Args:
        client: Your own `httpx.AsyncClient`, used as it is and never closed here. By default one that follows
            redirects.
        mounts: Transports for the default one, by what URLs they are for: a server in this process has one.
    """

    def __init__(
        self,
        client: httpx.AsyncClient | None = None,
        mounts: Mapping[str, httpx.AsyncBaseTransport | None] | None = None,
    ) -> None:
        self._client = client
        self._mounts = mounts
        self._own: httpx.AsyncClient | None = None

    async def perform(self, task_input: JsonObject) -> Outcome:
        """What becomes of a task with this input."""
        request = task_input.get("http_request")
        wanted = cast("JsonObject", request if isinstance(request, dict) else task_input)
        if wanted.get("uri") is None:
            reason = "Missing HTTP URI.  See documentation for HttpTask for required input parameters"
            return Outcome("FAILED", reason=reason)
        if wanted.get("method") is None:
            return Outcome("FAILED", reason="No HTTP method specified")
        method, uri = str(wanted["method"]), str(wanted["uri"])
        if method not in _METHODS:
            return _failed(f"java.lang.IllegalArgumentException: Invalid HTTP method: {method}")
        try:
            response = await self._send(method, uri, wanted)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
            why = "Read timed out" if isinstance(error, httpx.ReadTimeout) else _said(error, uri)
            return _failed(f'java.lang.Exception: I/O error on {method} request for "{uri}": {why}')
        if not response.is_success:
            said = f'"{response.text}"' if response.text else "[no body]"
            status = f"{response.status_code} {_phrase(response)}"
            return _failed(f'java.lang.Exception: {status} on {method} request for "{uri}": {said}')
        status = "IN_PROGRESS" if task_input.get("asyncComplete") is True else "COMPLETED"
        return Outcome(status, {"response": _as_map(response)})

    async def aclose(self) -> None:
        """Closes the connections."""
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()

    async def _send(self, method: str, uri: str, wanted: JsonObject) -> httpx.Response:
        client = self._client or self._own or await self._opened()
        accept = wanted.get("accept") or "application/json"
        headers = {
            "Content-Type": str(wanted.get("contentType") or "application/json"),
            "Accept": ", ".join(map(str, cast("Sequence[Any]", accept))) if isinstance(accept, list) else str(accept),
        }
        given = wanted.get("headers")
        if isinstance(given, dict):
            headers |= {name: str(value) for name, value in cast("JsonObject", given).items() if value is not None}
        body = wanted.get("body")
        content = None if body is None else body if isinstance(body, str) else json.dumps(body)
        timeout = httpx.Timeout(
            None, connect=_patience(wanted.get("connectionTimeOut")), read=_patience(wanted.get("readTimeOut"))
        )
        return await client.request(method, uri, headers=headers, content=content, timeout=timeout)

    async def _opened(self) -> httpx.AsyncClient:
        """The default client. Loading the certificates takes a while: a thread does it, and the event loop goes on."""
        context = await anyio.to_thread.run_sync(httpx.create_ssl_context)
        if self._own is None:  # or else another task was quicker
            self._own = httpx.AsyncClient(follow_redirects=True, mounts=self._mounts, verify=context)
        return self._own


def _patience(milliseconds: Any) -> float | None:
    """Seconds; None is for ever."""
    value = _PATIENCE if milliseconds is None else int(milliseconds)
    return value / 1000 if value > 0 else None


def _failed(error: str) -> Outcome:
    return Outcome("FAILED", {"response": error}, f"Failed to invoke HTTP task due to: {error}")


def _said(error: Exception, uri: str) -> str:
    if isinstance(error, httpx.ConnectError):
        url = httpx.URL(uri)
        return f"Connect to {url.scheme}://{url.netloc.decode()} failed: Connection refused"
    if isinstance(error, httpx.ConnectTimeout):
        return "Connect timed out"
    return str(error) or type(error).__name__


def _as_map(response: httpx.Response) -> JsonObject:
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
    """As the server reads it: objects and lists as they are, numbers with a point, everything else as text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict | list | str):
        return cast("Any", value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return float(value)
