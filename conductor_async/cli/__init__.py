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

FAILED = 1
"""The exit code when what was asked for did not work."""

MISUSED = 2
"""The exit code when it was asked for in a way that cannot work."""


def main(arguments: Sequence[str]) -> int:
    """Runs a command. Returns the exit code: 0 it did what it should, 1 it failed, 2 it was asked for wrongly."""
    try:
        from cyclopts import CycloptsError  # the extra [cli]: imported when it is needed

        from conductor_async.cli.app import make_app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("cyclopts", "rich"):
            raise
        return _say("The command line needs the extra [cli]: pip install 'conductor-async[cli]'", MISUSED)
    try:
        code = make_app()(list(arguments), result_action="return_value", exit_on_error=False, print_error=True)
    except CycloptsError:
        return MISUSED  # it has said so
    except ConfigurationError as error:
        return _say(str(error), MISUSED)
    except ConductorError as error:
        return _say(str(error), FAILED)
    return code if isinstance(code, int) else 0


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code
