"""Names of workflows and tasks: which ones the server can be asked for, and what a loop makes of them."""

from __future__ import annotations

import re

from conductor_async.errors import ConfigurationError

__all__ = ["base_name", "checked_name"]

_UNUSABLE = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")


def checked_name(what: str, value: str) -> str:
    """Returns the name if it can be a segment of a URL's path, by which the server is asked for it later.

    Args:
        what: What it names, for the error: `workflow name`.
        value: The name.

    Raises:
        ConfigurationError: The name is empty, `.`, `..`, or has a character that no server accepts in a path. Nothing
            was sent.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"the {what} must be a string, not {type(value).__name__}")
    if not value.strip():
        raise ConfigurationError(f"the {what} is empty")
    if value in {".", ".."}:
        raise ConfigurationError(f"the {what} is {value!r}, which every HTTP server takes for a folder: use another")
    if found := _UNUSABLE.search(value):
        raise ConfigurationError(f"the {what} {value!r} has {_why_unusable(found[0])}: use another")
    return value


def _why_unusable(character: str) -> str:
    if character in "/\\":
        return "a slash, so the server could never be asked for it"
    return "a control character" if character <= "\x7f" else "a lone surrogate, which is no valid Unicode"


def base_name(reference_name: str) -> str:
    """Returns the reference name without its iteration: `ref` for `ref__2`.

    The server cuts at the first `__`, so a task in a loop cannot have two underscores in its own name.
    """
    return reference_name.split("__", 1)[0] if "__" in reference_name else reference_name
