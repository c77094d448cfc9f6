"""From responses to errors: the one table of what HTTP status and message mean."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from conductor_async._http.json_reader import read_json
from conductor_async._text import escaped, shortened
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

#: The server rejects the token: fetch a new one and send the request again. Given in `error` (Orkes) or `code`.
_TOKEN_CODES = frozenset({"EXPIRED_TOKEN", "INVALID_TOKEN"})

_MOST_LISTED = 20  # validation errors in one text
_LONGEST_PAGE = 100_000  # characters that are searched for a title

#: Messages of 500s that mean "not found" on the open-source server.
_NOT_FOUND = re.compile(r"No such |EventHandler with name .* not found")


def error_from_response(status: int, headers: Mapping[str, str], body: bytes, method: str, route: Route) -> APIError:
    """Returns the error that a response other than 2xx stands for."""
    parsed = _parsed(body)
    fields = _as_object(parsed)
    original_message = _message(status, headers, parsed, fields)
    message = escaped(original_message)
    code = _code(fields)
    error_class = AuthenticationError if _rejects_token(status, code) else _error_class(status, original_message)
    hint = _hint(error_class, status, message)
    error = error_class(
        f"{method} {route.path} returned status {status}: {message.removesuffix('.') if hint else message}{hint}",
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
            error.args = (f"{error.args[0]}{_listed(error.validation_errors)}",)
    elif isinstance(error, RateLimitedError | ServerError):
        error.retry_after = retry_after(headers)
    return error


def is_rejected_token(error: APIError) -> bool:
    """Whether the server rejected the token itself, rather than what its owner may do."""
    return _rejects_token(error.status, error.code)


def _rejects_token(status: int, code: str | None) -> bool:
    return status in (401, 403) and code in _TOKEN_CODES


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds of a `Retry-After` header, a number or a date; None without a valid one."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value)) if float(value) < float("inf") else None
    except ValueError:
        pass
    import email.utils  # slow to import and rarely needed

    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _error_class(status: int, message: str) -> type[APIError]:
    if status == 404 and message.startswith("No static resource"):
        return EndpointNotAvailableError
    if status == 500 and _NOT_FOUND.match(message):
        return NotFoundError
    if status == 501:
        return EndpointNotAvailableError
    return _BY_STATUS.get(status) or (ServerError if status >= 500 else BadRequestError if status >= 400 else APIError)


def _hint(error_class: type[APIError], status: int, message: str) -> str:
    if error_class is EndpointNotAvailableError and "No static resource" in message and "resource api/" not in message:
        return ". The path is not one of the API's: does server_api_url end in /api?"
    if error_class is EndpointNotAvailableError:
        return ". This server does not have the endpoint: it needs another version, a setting, or Orkes Conductor"
    if error_class is AuthenticationError:
        return ". Check the key and the secret (CONDUCTOR_AUTH_KEY, CONDUCTOR_AUTH_SECRET): are they for this server?"
    if 300 <= status < 400:
        return ". Redirects are not followed, lest the token goes elsewhere: set server_api_url to the right URL"
    return ""


def _parsed(body: bytes) -> Any:
    try:
        return read_json(body)  # not by Content-Type: servers label text as JSON, and JSON as text
    except ValueError:
        return body.decode(errors="replace")


def _message(status: int, headers: Mapping[str, str], parsed: Any, fields: Mapping[str, Any]) -> str:
    if 300 <= status < 400:
        target, query, _ = headers.get("location", "nowhere").partition("?")
        return f"the server redirects to {target}{query and '?…'}"  # the query may include a signature
    for name in ("message", "error"):
        if isinstance(fields.get(name), str) and fields[name]:
            return str(fields[name])
    if isinstance(parsed, str) and parsed.strip():
        title = re.search(r"<title>(.*?)</title>", parsed[:_LONGEST_PAGE], re.IGNORECASE | re.DOTALL)
        return shortened(" ".join((title[1] if title else parsed[:_LONGEST_PAGE]).split()), 300)
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def _code(fields: Mapping[str, Any]) -> str | None:
    for name in ("error", "code"):
        if fields.get(name) in _TOKEN_CODES:
            return str(fields[name])
    return escaped(fields["code"], 100) if isinstance(fields.get("code"), str) else None


def _validation_errors(fields: Mapping[str, Any]) -> tuple[ValidationProblem, ...]:
    listed: Any = fields.get("validationErrors")
    problems = cast("Sequence[Any]", listed) if isinstance(listed, list) else ()
    return tuple(_validation_problem(_as_object(each)) for each in problems)


def _listed(problems: Sequence[ValidationProblem]) -> str:
    lines = [f"\n  {problem.path}: {problem.message}" for problem in problems[:_MOST_LISTED]]
    if len(problems) > _MOST_LISTED:
        lines.append(f"\n  and {len(problems) - _MOST_LISTED} more")
    return "".join(lines)


def _as_object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _validation_problem(fields: Mapping[str, Any]) -> ValidationProblem:
    value = fields.get("invalidValue")
    return ValidationProblem(
        path=escaped(str(fields.get("path", ""))),
        message=escaped(str(fields.get("message", ""))),
        invalid_value=None if value is None else escaped(str(value)),
    )
