"""`Api.call(method, route(...), returns=T)`: what every endpoint of every resource goes through.

Around one call: hooks, the token, retries of what is safe to repeat, and the error that tells what happened.
"""

from __future__ import annotations

import copy
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack, overload

import anyio

from conductor_async._http.body import decode
from conductor_async._http.errors import error_from, is_rejected_token
from conductor_async._http.request import Request, encoded, with_correlation_id
from conductor_async._http.retries import RetryBudget, delay_before, judge
from conductor_async._http.routes import Route, query, route
from conductor_async._http.token import TokenCache
from conductor_async.config import Configuration, checked_headers, seconds, with_headers
from conductor_async.errors import (
    APIError,
    AuthenticationError,
    ClientClosedError,
    ConductorError,
    ConfigurationError,
    TransportError,
)
from conductor_async.hooks import Call

if TYPE_CHECKING:
    import re
    from collections.abc import AsyncGenerator, Mapping
    from datetime import timedelta

    import httpx

    from conductor_async._http.session import Session
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
    repeat_on_500: bool
    already_done_pattern: re.Pattern[str] | None
    extra_time: float
    starts: WorkflowStart | None


class Api:
    """The server's API over one session. Opened by the first call, bound to its event loop.

    Args:
        configuration: Where the server is and how to talk to it; by default, what the environment says.
        http_client: Your own `httpx.AsyncClient`, used as it is and never closed here.
    """

    def __init__(
        self, configuration: Configuration | None = None, http_client: httpx.AsyncClient | None = None
    ) -> None:
        self.configuration = configuration or Configuration()
        if http_client is not None and self.configuration.has_transport_settings:
            raise ConfigurationError(
                "http_client is used as it is, so proxy, verify, cert, limits, connect_timeout and trust_env of the"
                " Configuration would have no effect: give them to the httpx.AsyncClient"
            )
        self.timeout = self.configuration.timeout
        self.retry = self.configuration.retry
        self._shared = _Shared(self.configuration, http_client)
        self._headers = self.configuration.default_headers()
        self._tokens: TokenCache | None = None
        if settings := self.configuration.authentication_settings:
            self._tokens = TokenCache(lambda: self._fetch_token(settings), self.configuration.auth_token_ttl)

    def use_transport(self, transport: httpx.AsyncBaseTransport) -> None:
        """Uses this transport for connections to the server: a server in this process has one of its own."""
        self._shared.transport = transport

    def with_options(self, *, timeout: float | timedelta | None = None, retry: RetryPolicy | None = None) -> Api:
        """The same session with another time for one request, or other retries."""
        other = copy.copy(self)
        if timeout is not None:
            other.timeout = seconds(timeout, "timeout")
        if retry is not None:
            other.retry = retry
        return other

    @asynccontextmanager
    async def apart(self, connections: int) -> AsyncGenerator[Api]:
        """The same server, token and options over so many connections of its own, for as long as the context is open.

        A session that was given to us, or that is to a server in this process, is shared.
        """
        if (shared := self._shared.apart(connections)) is None:
            yield self
            return
        other = copy.copy(self)
        other._shared = shared
        try:
            yield other
        finally:
            self._shared.forget(shared)
            await shared.aclose()

    def open(self) -> None:
        """Does now what takes its time at the first call, half a second on a cold start. Nothing is sent.

        Raises:
            ClientClosedError: It is closed.
        """
        self._shared.session().open()

    async def aclose(self) -> None:
        """Closes the connections; again is fine. Calls under way end with a ClientClosedError."""
        await self._shared.aclose()

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
        repeat_on_500: bool = False,
        already_done_pattern: re.Pattern[str] | None = None,
        extra_time: float = 0.0,
        starts: WorkflowStart | None = None,
    ) -> Any:
        """Calls an endpoint.

        Args:
            method: The HTTP method.
            route: The endpoint.
            returns: What the answer is: a model, `list[Model]`, `str` for text as it comes; None for
                nothing.
            or_none: An empty answer is None.
            params: The query; None values are left out.
            json: The body: a model, or anything that can be JSON.
            json_name: What to call the body in an error about a value in it.
            text: The body, sent as text.
            repeatable: Whether carrying it out twice does no more than once. By default: everything but POST.
            repeat_on_500: Whether a 500 is worth another try even if the server does not say so.
            already_done_pattern: On a repetition, an error whose message matches means that the first try was carried
                out: a
                success.
            extra_time: Seconds that the server may wait before it answers, on top of the timeout.
            starts: The execution that the call starts. A hook may give it a correlation id.

        Raises:
            ConductorError: See `conductor_async.errors`.
        """
        seen = Call(method, route.template, workflow_start=starts)
        started = time.perf_counter()
        self._notify("on_call_start", seen)
        try:
            if starts is not None:
                json, params = with_correlation_id(starts.correlation_id, json, params)
            content, headers = encoded(json, text, json_name)
            request = Request(
                method=method,
                route=route,
                url=f"{self.configuration.server_api_url}{route.path}{query(params)}",
                headers=headers,
                content=content,
                timeout=self.timeout + extra_time,
                repeatable=method in _REPEATABLE if repeatable is None else repeatable,
                repeat_on_500=repeat_on_500,
                already_done_pattern=already_done_pattern,
            )
            answer = await self._carry_out(request, seen, self._tokens)
            if answer is None or (or_none and (answer.status == 204 or not answer.body)):
                return None
            return _decoded(returns, answer, method, route)
        except BaseException as error:
            seen.error = error
            raise
        finally:
            seen.elapsed = time.perf_counter() - started
            self._notify("on_call_end", seen)

    async def fetch_external(self, url: str) -> bytes:
        """The bytes at a URL of another server, fetched without token or any header of ours.

        Raises:
            ConductorError: It could not be had.
        """
        tries = 0
        while True:
            tries += 1
            try:
                answer = await self._shared.session().fetch_external(url, timeout=self.timeout)
                if 200 <= answer.status < 300:
                    return answer.body
                raise error_from(answer.status, answer.headers, b"", "GET", Route("(outside)", "(outside)"))
            except (APIError, TransportError) as error:
                delay = self._delay_after(error, tries, again=judge(error, repeatable=True).again)
                if delay is None:
                    raise
                await anyio.sleep(delay)

    # -- retries -----------------------------------------------------------------------------------

    async def _carry_out(self, request: Request, seen: Call, tokens: TokenCache | None) -> Response | None:
        """The answer; None if a repetition learned that an earlier try had been carried out."""
        may_be_done = False
        while True:
            seen.attempts += 1
            self._shared.session()  # closed is closed, whatever became of the token
            # Outside the try: a token that cannot be had was asked for in its own retries, and nothing else was sent.
            token = await tokens.token() if tokens else None
            try:
                answer = await self._authorized(request, seen, tokens, token)
            except ConductorError as error:
                if may_be_done and request.is_already_so(error):
                    return None
                verdict = judge(error, repeatable=request.repeatable, repeat_on_500=request.repeat_on_500)
                if verdict.ambiguous:
                    raise request.ambiguous(error, seen.attempts) from error
                delay = self._delay_after(error, seen.attempts, again=verdict.again)
                if delay is None:
                    if isinstance(error, TransportError):
                        error.attempts = seen.attempts
                        error.route = request.route.template
                    raise
                # What could be repeated even for a start was not carried out.
                may_be_done = may_be_done or not judge(error, repeatable=False).again
                logger.debug(
                    "%s %s: try %d failed (%s), next in %.2f s",
                    *request.name,
                    seen.attempts,
                    type(error).__name__,
                    delay,
                )
                await anyio.sleep(delay)
            else:
                self._shared.budget.refund()
                return answer

    def _delay_after(self, error: ConductorError, tries: int, *, again: bool) -> float | None:
        """Seconds to wait before the next try, which the budget has paid for then; None: there is none."""
        delay = delay_before(tries + 1, error, self.retry) if again else None
        if delay is None or self._shared.budget.spend(error):
            return delay
        error.add_note(
            "Not tried again: the client's retry budget is exhausted, because too many of its calls failed lately."
        )
        return None

    # -- the token -----------------------------------------------------------------------------------

    async def _authorized(self, request: Request, seen: Call, tokens: TokenCache | None, token: str | None) -> Response:
        try:
            return await self._send(request, seen, token)
        except APIError as error:
            if tokens is None or not is_rejected_token(error):
                raise
            tokens.rejected(token)
            fresh = await tokens.token()
            if fresh == token:
                raise
        return await self._send(request, seen, fresh)

    async def _fetch_token(self, settings: AuthenticationSettings) -> str:
        content, headers = encoded({"keyId": settings.key_id, "keySecret": settings.key_secret})
        token_route = route("/token")
        request = Request(
            "POST",
            token_route,
            self.configuration.server_api_url + token_route.path,
            headers,
            content,
            self.timeout,
            repeatable=True,
        )
        answer = await self._carry_out(request, Call(request.method, token_route.template), None)
        assert answer is not None  # None is for what a repetition may find done already
        body: dict[str, Any] = _decoded(dict[str, Any], answer, "POST", token_route)
        if not isinstance(body.get("token"), str) or not body["token"]:
            raise AuthenticationError(
                "POST /token was answered without a token: check the key and the secret",
                status=answer.status,
                message="no token in the answer",
                method="POST",
                route=token_route.template,
            )
        return str(body["token"])

    # -- one request -----------------------------------------------------------------------------------

    async def _send(self, request: Request, seen: Call, token: str | None) -> Response:
        headers = self._headers | request.headers
        if seen.headers:  # a hook's
            headers = with_headers(headers, checked_headers(seen.headers))
        if token is not None:
            headers["X-Authorization"] = token
        answer = await self._shared.session().send(
            request.method, request.url, headers, request.content, timeout=request.timeout
        )
        seen.status = answer.status
        logger.debug("%s %s → %d, %d bytes", *request.name, answer.status, len(answer.body))
        if 200 <= answer.status < 300:
            return answer
        raise error_from(answer.status, answer.headers, answer.body, request.method, request.route)

    def _notify(self, event: str, seen: Call) -> None:
        for hook in self.configuration.hooks:
            try:
                getattr(hook, event)(seen)
            except Exception:  # a user's hook must not break the call it looks at
                logger.exception("A hook failed in %s for %s %s", event, seen.method, seen.route)


class _Shared:
    """What a client and all that `with_options` makes of it have in common."""

    def __init__(self, configuration: Configuration, http_client: httpx.AsyncClient | None) -> None:
        self.budget = RetryBudget(configuration.retry.budget)
        self.transport: httpx.AsyncBaseTransport | None = None
        self._configuration = configuration
        self._http_client = http_client
        self._session: Session | None = None
        self._closed = False
        self._connections: int | None = None
        self._apart: list[_Shared] = []

    def apart(self, connections: int) -> _Shared | None:
        if self._http_client is not None or self.transport is not None:
            return None
        other = _Shared(self._configuration, None)
        other.budget, other._closed, other._connections = self.budget, self._closed, connections
        self._apart.append(other)
        return other

    def forget(self, other: _Shared) -> None:
        if other in self._apart:
            self._apart.remove(other)

    def session(self) -> Session:
        if self._closed:
            raise ClientClosedError("The client is closed. Make a new one, or keep it open for as long as it is used.")
        if self._session is None:
            from conductor_async._http.session import Session  # imports httpx: not before the first call

            self._session = Session(
                self._configuration, self._http_client, self.transport, connections=self._connections
            )
        return self._session

    async def aclose(self) -> None:
        self._closed = True
        for other in tuple(self._apart):
            await other.aclose()
        if self._session is not None:
            await self._session.aclose()


def _decoded(kind: Any, answer: Response, method: str, route: Route) -> Any:
    content_type = answer.headers.get("content-type", "")
    return decode(kind, answer.body, status=answer.status, content_type=content_type, method=method, route=route)
