"""HTTP headers that callers give: checked, and merged with ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SET_BY_EACH_REQUEST = frozenset({"connection", "content-length", "content-type", "host", "transfer-encoding"})


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the headers, if they can be sent.

    Raises:
        ConfigurationError: A name or value is invalid, or the header is one that each request sets.
    """
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"{name!r} is not a valid name of an HTTP header")
        if name.lower() in _SET_BY_EACH_REQUEST:
            raise ConfigurationError(f"the header {name!r} is set by each request: leave it out")
        if not isinstance(value, str) or re.search(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]", value):
            raise ConfigurationError(f"the value of header {name!r} must be a string without line breaks")
    return dict(headers)


def with_headers(headers: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Returns both, the others replacing those of the same name in any case, so that no header is sent twice."""
    replaced = {name.lower() for name in others}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | dict(others)
