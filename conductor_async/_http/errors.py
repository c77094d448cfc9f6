"""What an answer means: the one table from HTTP status and message to an error."""

from __future__ import annotations

import json
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from conductor_async.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    EndpointNotAvailableError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    ValidationProblem,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async._http.routes import Route

_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: BadRequestError,
    409: ConflictError,
    415: BadRequestError,
    422: BadRequestError,
    429: RateLimitedError,
}

#: A spoiled token: get a new one and ask again. Said in `error` (Orkes) or `code`.
_TOKEN_CODES = frozenset({"EXPIRED_TOKEN", "INVALID_TOKEN"})

#: 500s of the open-source server that mean: it is not there.
_MISSING = re.compile(r"No such |EventHandler with name .* not found")


def error_from(status: int, headers: Mapping[str, str], body: bytes, method: str, route: Route) -> APIError:
    """The error that an answer other than 2xx stands for."""
    parsed = _parsed(body)
    fields = _as_object(parsed)
    message = _message(status, headers, parsed, fields)
    code = _code(fields)
    kind = AuthenticationError if status in (401, 403) and code in _TOKEN_CODES else _kind(status, message)
    hint = _hint(kind, status, message)
    error = kind(
        f"{method} {route.path} was answered {status}: {message.removesuffix('.') if hint else message}{hint}",
        status=status,
        message=message,
        method=method,
        route=route.template,
        body=parsed,
        retryable=fields.get("retryable") is True,
        code=code,
    )
    if isinstance(error, BadRequestError):
        error.validation_errors = _validation_errors(fields)
        if error.validation_errors:
            listed = "".join(f"\n  {problem.path}: {problem.message}" for problem in error.validation_errors)
            error.args = (f"{error.args[0]}{listed}",)
    elif isinstance(error, RateLimitedError | ServerError):
        error.retry_after = retry_after(headers)
    return error


def is_rejected_token(error: APIError) -> bool:
    """Whether the server refused the token, not the caller."""
    return error.status in (401, 403) and error.code in _TOKEN_CODES


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a `Retry-After` header, given as a number or as a date; None if there is none that can be read."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value)) if float(value) < float("inf") else None
    except ValueError:
        pass
    import email.utils  # slow to import, and seldom needed

    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _kind(status: int, message: str) -> type[APIError]:
    if status == 404 and message.startswith("No static resource"):
        return EndpointNotAvailableError
    if status == 500 and _MISSING.match(message):
        return NotFoundError
    if status == 501:
        return EndpointNotAvailableError
    return _BY_STATUS.get(status) or (ServerError if status >= 500 else BadRequestError if status >= 400 else APIError)


def _hint(kind: type[APIError], status: int, message: str) -> str:
    if kind is EndpointNotAvailableError and "No static resource" in message and "resource api/" not in message:
        return ". That path is not the API's: does server_api_url end in /api?"
    if kind is EndpointNotAvailableError:
        return ". This server does not have that endpoint: it needs another version, a setting, or Orkes Conductor"
    if kind is AuthenticationError:
        return ". Check the key and the secret (CONDUCTOR_AUTH_KEY, CONDUCTOR_AUTH_SECRET): are they for this server?"
    if 300 <= status < 400:
        return ". Redirects are not followed, for the token's sake: set server_api_url to the right address"
    return ""


def _parsed(body: bytes) -> Any:
    text = body.decode(errors="replace")
    try:
        return json.loads(text)  # some bodies are labelled JSON and are not, and the other way round
    except ValueError:
        return text


def _message(status: int, headers: Mapping[str, str], parsed: Any, fields: Mapping[str, Any]) -> str:
    if 300 <= status < 400:
        target, query, _ = headers.get("location", "nowhere").partition("?")
        return f"it redirects to {target}{query and '?…'}"  # the query may hold a signature
    for name in ("message", "error"):
        if isinstance(fields.get(name), str) and fields[name]:
            return str(fields[name])
    if isinstance(parsed, str) and parsed.strip():
        title = re.search(r"<title>(.*?)</title>", parsed, re.IGNORECASE | re.DOTALL)
        return " ".join((title[1] if title else parsed).split())[:300]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def _code(fields: Mapping[str, Any]) -> str | None:
    for name in ("error", "code"):
        if fields.get(name) in _TOKEN_CODES:
            return str(fields[name])
    return str(fields["code"]) if isinstance(fields.get("code"), str) else None


def _validation_errors(fields: Mapping[str, Any]) -> tuple[ValidationProblem, ...]:
    listed: Any = fields.get("validationErrors")
    problems = cast("Sequence[Any]", listed) if isinstance(listed, list) else ()
    return tuple(_problem(_as_object(each)) for each in problems)


def _as_object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _problem(said: Mapping[str, Any]) -> ValidationProblem:
    value = said.get("invalidValue")
    return ValidationProblem(
        path=str(said.get("path", "")),
        message=str(said.get("message", "")),
        invalid_value=None if value is None else str(value),
    )
