"""The command line: `python -m conductor_async --help`. One module for each command.

It needs the extra `[cli]`: `pip install 'conductor-async[cli]'`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from conductor_async.errors import ConductorError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_FAILED = 1
"""The exit code when the command failed."""

_USAGE_ERROR = 2
"""The exit code when the command was called wrongly."""

_INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def main(arguments: Sequence[str]) -> int:
    """Runs a command. Returns the exit code.

    It is 0 if the command succeeded, 1 if it failed, 2 if it was called wrongly, 130 if Ctrl-C interrupted it.
    """
    try:
        from cyclopts import CycloptsError  # the extra [cli]: imported when it is needed

        from conductor_async.cli._app import make_app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("cyclopts", "rich"):
            raise
        return _print_error("The command line needs the extra [cli]: pip install 'conductor-async[cli]'", _USAGE_ERROR)
    try:
        code = make_app()(list(arguments), result_action="return_value", exit_on_error=False, print_error=True)
    except CycloptsError:
        return _USAGE_ERROR  # cyclopts has printed why
    except KeyboardInterrupt:  # before the command handled signals itself: a traceback would say nothing
        return _print_error("Interrupted", _INTERRUPTED)
    except ConfigurationError as error:
        return _print_error(str(error), _USAGE_ERROR)
    except ConductorError as error:
        return _print_error(str(error), _FAILED)
    return code if isinstance(code, int) else 0


def _print_error(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code
