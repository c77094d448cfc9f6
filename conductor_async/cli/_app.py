"""The commands, and the module of each. A module is imported when its command runs."""

from __future__ import annotations

from cyclopts import App

from conductor_async._version import __version__


def make_app() -> App:
    """Returns the command line with all its commands."""
    app = App(
        suppress_keyboard_interrupt=False,  # `main` says it in one line
        name="conductor_async",
        help="Run workers, or a Conductor for development, from the command line.",
        version=__version__,
    )
    app.command("conductor_async.cli._worker:worker", help="Run workers until SIGTERM or SIGINT.")
    app.command("conductor_async.cli._dev:dev", help="Serve Conductor's API, in memory, for development and tests.")
    return app
