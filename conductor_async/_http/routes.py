"""Paths of endpoints: templates filled with names and ids that can never become another route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote

from conductor_async._language.names import checked_name
from conductor_async.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Route(NamedTuple):
    """An endpoint's path under the API's URL.

    Attributes:
        template: For people and metrics: `/workflow/{workflow_id}`.
        path: For the wire, quoted: `/workflow/3f1c…`.
    """

    template: str
    path: str


def route(template: str, **segments: str | int) -> Route:
    """The path of an endpoint.

    Args:
        template: Such as `/workflow/{workflow_id}/pause`.
        segments: A value for each name in the template.

    Raises:
        ConfigurationError: A value is empty, `.`, `..`, or has a character that no server accepts in a path. Nothing
            was sent.
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
    """The text in UTF-8; `what` names it in the error.

    Raises:
        PayloadError: It has a lone surrogate.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        message = f"{what} cannot be sent: it has a lone surrogate, which is no valid Unicode. Nothing was sent"
        raise PayloadError(message, path=what) from error


def query(params: Mapping[str, Any] | None) -> str:
    """A query string, with its `?`. None is left out, True is `true`, a list repeats the name.

    Raises:
        PayloadError: A text in it is no valid Unicode.
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
