"""Closing the cancel scopes that a function left open, so that the host can leave its own around them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio.lowlevel

if TYPE_CHECKING:
    from anyio import CancelScope


def close_scopes_within(scope: CancelScope) -> bool:
    """Closes a scope, and before it those within that are still open. Returns whether it is closed now.

    trio does so by itself, and then complains. anyio on asyncio leaves all scopes open, and has no public way to find
    them; if a version of it has no such table any more, the scope stays open, and the host must end.
    """
    if "trio" in type(anyio.lowlevel.current_token().native_token).__module__:
        return True
    try:
        from anyio._backends import _asyncio

        state: Any = _asyncio._task_states[asyncio.current_task()]  # type: ignore[index]  # noqa: SLF001 - there is no public way
        while (innermost := state.cancel_scope) is not scope:
            innermost.__exit__(None, None, None)
    except (ImportError, AttributeError, KeyError):
        return False
    scope.__exit__(None, None, None)
    return True
