"""Paths of endpoints: templates, filled with names and ids so that these can never lead to another endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote

from conductor_async._language.names import checked_name
from conductor_async.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Route(NamedTuple):
    """An endpoint's path below `server_api_url`.

    Attributes:
        template: The path with placeholders, for metrics and error attributes: `/workflow/{workflow_id}`.
        path: The path that is sent, quoted: `/workflow/3f1c…`.
    """

    template: str
    path: str


def route(template: str, **segments: str | int) -> Route:
    """Returns the path of an endpoint.

    Args:
        template: The path with placeholders, such as `/workflow/{workflow_id}/pause`.
        segments: The value of each placeholder.

    Raises:
        ConfigurationError: A value is empty, `.`, `..`, or has a character that no server accepts in a path.
    """
    if not segments:
        return Route(template, template)
    return Route(template, template.format(**{name: _segment(name, value) for name, value in segments.items()}))


def _segment(name: str, value: str | int) -> str:
    if type(value) is int:
        return str(value)
    text = checked_name(name.replace("_", " "), value)  # type: ignore[arg-type]
    return quote(text, safe="-._~:@!$'()*,=&+")


def utf8(text: str, what: str) -> bytes:
    """Returns the text in UTF-8.

    Args:
        text: The text.
        what: What it is, for the error message.

    Raises:
        PayloadError: It has a lone surrogate.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        message = f"{what} cannot be sent: it has a lone surrogate, which is not valid Unicode. Nothing was sent"
        raise PayloadError(message, path=what) from error


def query(params: Mapping[str, Any] | None) -> str:
    """Returns a query string with its `?`. None is left out, True becomes `true`, a list repeats the name.

    Raises:
        PayloadError: A text in it is not valid Unicode.
    """
    if not params:
        return ""
    pairs = [
        f"{quote(utf8(name, 'a name'), safe='')}={quote(utf8(_text(item), name), safe='')}"
        for name, value in params.items()
        if value is not None
        for item in (cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,))
    ]
    return "?" + "&".join(pairs) if pairs else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
