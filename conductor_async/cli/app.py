"""The commands, and where each is. A command's module is imported when it is asked for."""

from __future__ import annotations

from cyclopts import App

from conductor_async._version import __version__


def make_app() -> App:
    """The command line, with all its commands."""
    app = App(name="conductor_async", help="What conductor_async does from a command line.", version=__version__)
    app.command("conductor_async.cli.worker:worker", help="Run workers until SIGTERM or SIGINT.")
    app.command("conductor_async.cli.dev:dev", help="Serve Conductor's API, in memory, for development and tests.")
    return app
