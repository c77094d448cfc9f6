"""`Api.call(method, route(...), returns=T)`: what every endpoint of every resource goes through.

Around one call: hooks, the token, retries of what is safe to repeat, and an error that tells what happened.
"""

from __future__ import annotations

import copy
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack, overload

import anyio

from conductor_async._headers import checked_headers, with_headers
from conductor_async._http.body import decode, encode
from conductor_async._http.errors import error_from_response, is_rejected_token
from conductor_async._http.retries import Request, classify, retry_delay
from conductor_async._http.routes import Route, query, route
from conductor_async._http.session import Session
from conductor_async._http.token import TokenCache, token_of
from conductor_async.config import Configuration, seconds
from conductor_async.errors import APIError, ConductorError, ConfigurationError, TransportError
from conductor_async.hooks import Call

if TYPE_CHECKING:
    import re
    from collections.abc import AsyncGenerator, Callable, Mapping
    from datetime import timedelta
    from typing import Self

    import httpx

    from conductor_async._http.elements import UnreadableElement
    from conductor_async._http.transport.interface import Response
    from conductor_async.config import AuthenticationSettings, RetryPolicy
    from conductor_async.hooks import WorkflowStart

T = TypeVar("T")

logger = logging.getLogger("conductor_async")

_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})


class _Options(TypedDict, total=False):
    """The keywords of `Api.call`, for its overloads."""

    params: Mapping[str, Any] | None
    json: Any
    json_name: str
    text: str | None
    repeatable: bool | None
    retry_on_500: bool
    already_done_pattern: re.Pattern[str] | None
    extra_time: float
    starts: WorkflowStart | None
    prepare: Callable[[], tuple[Any, Mapping[str, Any] | None]] | None
    unreadable: list[UnreadableElement] | None


class Api:
    """The server's API over one session. The first call opens it, and binds it to its event loop.

    Args:
        configuration: Where the server is and how to talk to it; by default, from the environment.
        http_client: Your own `httpx.AsyncClient`. It is used as it is and never closed here.
    """

    def __init__(
        self, configuration: Configuration | None = None, http_client: httpx.AsyncClient | None = None
    ) -> None:
        self.configuration: Configuration = configuration or Configuration()
        if http_client is not None and self.configuration.has_transport_settings:
            raise ConfigurationError(
                "http_client is used as it is, so proxy, verify, cert, limits, connect_timeout and trust_env of the"
                " Configuration would have no effect: give them to the httpx.AsyncClient"
            )
        self.timeout: float = self.configuration.timeout
        self.retry: RetryPolicy = self.configuration.retry
        self._session = Session(self.configuration, http_client)
        self._headers = self.configuration.default_headers()
        self._complete = False
        self._tokens: TokenCache | None = None
        if settings := self.configuration.authentication_settings:
            self._tokens = TokenCache(lambda: self._fetch_token(settings), self.configuration.auth_token_ttl)

    def use_transport(self, transport: httpx.AsyncBaseTransport) -> None:
        """Sends all requests through this transport: the one to a server in this process. Call it before the first."""
        self._session.injected_transport = transport

    def with_options(self, *, timeout: float | timedelta | None = None, retry: RetryPolicy | None = None) -> Self:
        """Returns the same session with another timeout for one request, or another retry policy."""
        timeout = self.timeout if timeout is None else seconds(timeout, "timeout")
        return self._copy(timeout=timeout, retry=retry or self.retry)

    def with_complete_responses(self) -> Self:
        """Returns the same session, for which an element of a list that cannot be read is an error.

        For lookups: a missing element would mean that it does not exist.
        """
        return self._copy(_complete=True)

    @asynccontextmanager
    async def dedicated_connections(self, max_connections: int) -> AsyncGenerator[Self]:
        """The same server, token and options over connections of its own, for as long as the context is open.

        An injected client, or a server in this process, has no other connections: there the context is this object.
        """
        async with self._session.dedicated(max_connections) as session:
            yield self._copy(_session=session)

    def open(self) -> None:
        """Does now what slows the first call down, by half a second on a cold start. Sends nothing.

        Raises:
            ClientClosedError: The client is closed.
        """
        self._session.open()

    async def aclose(self) -> None:
        """Closes the connections. Idempotent. Calls in progress end with a ClientClosedError."""
        await self._session.aclose()

    @overload
    async def call(self, method: str, route: Route, *, returns: None = None, **options: Unpack[_Options]) -> None: ...
    @overload
    async def call(
        self, method: str, route: Route, *, returns: type[T], or_none: Literal[True], **options: Unpack[_Options]
    ) -> T | None: ...
    @overload
    async def call(self, method: str, route: Route, *, returns: type[T], **options: Unpack[_Options]) -> T: ...
    async def call(
        self,
        method: str,
        route: Route,
        *,
        returns: Any = None,
        or_none: bool = False,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        json_name: str = "body",
        text: str | None = None,
        repeatable: bool | None = None,
        retry_on_500: bool = False,
        already_done_pattern: re.Pattern[str] | None = None,
        extra_time: float = 0.0,
        starts: WorkflowStart | None = None,
        prepare: Callable[[], tuple[Any, Mapping[str, Any] | None]] | None = None,
        unreadable: list[UnreadableElement] | None = None,
    ) -> Any:
        """Calls an endpoint.

        Args:
            method: The HTTP method.
            route: The endpoint.
            returns: The type of the result: a model, `list[Model]`, `str` for the text itself; None for nothing.
            or_none: An empty response is None.
            params: The query. None values are left out.
            json: The body: a model, anything that can be JSON, or `EncodedJson`.
            json_name: What an error about a value in the body calls the body.
            text: The body, as plain text.
            repeatable: Whether processing it twice has no more effect than once. By default: everything but POST.
            retry_on_500: Whether a 500 is retried even if the server does not call it retryable.
            already_done_pattern: If the error message of a later attempt matches, an earlier attempt has succeeded, and
                so does the call.
            extra_time: Seconds that the server may wait before it responds, in addition to the timeout.
            starts: The execution that the call starts, for the hooks, which may set its correlation id.
            prepare: Returns `json` and `params`, after the hooks have seen `starts`.
            unreadable: Takes the elements of the response that cannot be read. If the response itself is one, the
                result is None. By default they are left out with a warning in the log.

        Raises:
            ConductorError: See `conductor_async.errors`.
        """
        call = Call(method, route.template, workflow_start=starts)
        began = time.perf_counter()
        self._notify("on_call_start", call)
        try:
            if prepare is not None:
                json, params = prepare()
            content, headers = encode(json, text, json_name)
            request = Request(
                method=method,
                route=route,
                url=f"{self.configuration.server_api_url}{route.path}{query(params)}",
                headers=headers,
                content=content,
                timeout=self.timeout + extra_time,
                repeatable=method in _REPEATABLE if repeatable is None else repeatable,
                retry_on_500=retry_on_500,
                already_done_pattern=already_done_pattern,
            )
            response = await self._send_with_retries(request, call, self._tokens)
            if response is None or (or_none and (response.status == 204 or not response.body)):
                return None
            return decode(returns, response, method, route, unreadable=unreadable, complete=self._complete)
        except BaseException as error:
            call.error = error
            raise
        finally:
            call.elapsed = time.perf_counter() - began
            self._notify("on_call_end", call)

    async def fetch_external(self, url: str) -> bytes:
        """Returns what is at a URL of another server, fetched without the token or any other header of the client.

        Raises:
            ConductorError: It could not be fetched.
        """
        attempts = 0
        while True:
            attempts += 1
            try:
                status, headers, body = await self._session.fetch_external(url, timeout=self.timeout)
                if 200 <= status < 300:
                    return body
                raise error_from_response(status, headers, b"", "GET", Route("(external)", "(external)"))
            except (APIError, TransportError) as error:
                delay = self._retry_delay(error, attempts) if classify(error, repeatable=True).retry else None
                if delay is None:
                    raise
                await anyio.sleep(delay)

    # -- retries -----------------------------------------------------------------------------------

    async def _send_with_retries(self, request: Request, call: Call, tokens: TokenCache | None) -> Response | None:
        """Returns the response; None if a retry found out that an earlier attempt had succeeded."""
        may_be_done = False
        while True:
            call.attempts += 1
            self._session.check_open()  # first, so that a closed client says so, whatever the state of its token
            # Outside the try: fetching a token has retries of its own, and the request itself has not been sent.
            token = await tokens.token() if tokens else None
            try:
                response = await self._send_authorized(request, call, tokens, token)
            except ConductorError as error:
                if may_be_done and request.is_already_done(error):
                    return None
                decision = classify(error, repeatable=request.repeatable, retry_on_500=request.retry_on_500)
                if decision.ambiguous:
                    raise request.ambiguous_outcome(error, call.attempts) from error
                delay = self._retry_delay(error, call.attempts) if decision.retry else None
                if delay is None:
                    if isinstance(error, TransportError):
                        error.attempts, error.route = call.attempts, request.route.template
                    raise
                # Errors after which even a start may be retried prove that the server did not process the request.
                may_be_done = may_be_done or not classify(error, repeatable=False).retry
                logger.debug(
                    "%s %s: attempt %d failed (%s), retrying in %.2f s",
                    request.method,
                    request.route.path,
                    call.attempts,
                    type(error).__name__,
                    delay,
                )
                await anyio.sleep(delay)
            else:
                self._session.budget.refund()
                return response

    def _retry_delay(self, error: ConductorError, failures: int) -> float | None:
        """Returns the seconds to wait before a retry, and takes its tokens from the budget; None to give up."""
        delay = retry_delay(failures, error, self.retry)
        if delay is None or self._session.budget.spend(error):
            return delay
        error.add_note(
            "Not retried: the client's retry budget is exhausted, because too many of its calls failed recently."
        )
        return None

    # -- one request -------------------------------------------------------------------------------

    async def _send_authorized(
        self, request: Request, call: Call, tokens: TokenCache | None, token: str | None
    ) -> Response:
        """Sends the request, and sends it again with a new token if the server rejects this one."""
        try:
            return await self._send(request, call, token)
        except APIError as error:
            if tokens is None or not is_rejected_token(error):
                raise
            tokens.reject(token)
            new_token = await tokens.token()
            if new_token == token:
                raise
        return await self._send(request, call, new_token)

    async def _send(self, request: Request, call: Call, token: str | None) -> Response:
        headers = self._headers | request.headers
        if call.headers:  # set by a hook
            headers = with_headers(headers, checked_headers(call.headers))
        if token is not None:
            headers["X-Authorization"] = token
        response = await self._session.send(
            request.method, request.url, headers, request.content, timeout=request.timeout
        )
        status, response_headers, body = response
        call.status = status
        logger.debug("%s %s → %d, %d bytes", request.method, request.route.path, status, len(body))
        if 200 <= status < 300:
            return response
        raise error_from_response(status, response_headers, body, request.method, request.route)

    async def _fetch_token(self, settings: AuthenticationSettings) -> str:
        content, headers = encode({"keyId": settings.key_id, "keySecret": settings.key_secret})
        endpoint = route("/token")
        url = self.configuration.server_api_url + endpoint.path
        request = Request("POST", endpoint, url, headers, content, self.timeout, repeatable=True)
        response = await self._send_with_retries(request, Call(request.method, endpoint.template), None)
        assert response is not None  # only requests with an already_done_pattern, and DELETE, return None
        body: dict[str, Any] = decode(dict[str, Any], response, "POST", endpoint)
        return token_of(body, status=response.status)

    # -- internals ---------------------------------------------------------------------------------

    def _copy(self, **changes: Any) -> Self:
        other = copy.copy(self)
        vars(other).update(changes)
        return other

    def _notify(self, event: Literal["on_call_start", "on_call_end"], call: Call) -> None:
        for hook in self.configuration.hooks:
            try:
                getattr(hook, event)(call)
            except Exception:  # a user's hook must not break the call that it observes
                logger.exception("A hook failed in %s for %s %s", event, call.method, call.route)
