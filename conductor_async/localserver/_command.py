"""How the server is run: properties, command line, environment. Chosen to start fast without changing its behavior."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conductor_async.localserver._java import Java

# Newer Javas warn when a library loads native code, as SQLite's does. The option changes how Java lays out its modules,
# so the class data must be written with it, too.
NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED"

# Spring reads its settings from variables, too. What the shell holds for another server must not reach this one.
_SERVER_VARIABLES = ("CONDUCTOR_", "LOGGING_", "MANAGEMENT_", "SERVER_", "SPRING_")

Property = str | float | bool


def server_properties(
    port: int, name: str, *, ai: bool, ui: bool, additions: Mapping[str, Property]
) -> dict[str, Property]:
    """Returns the server's properties; the user's `additions` override ours.

    Two faster settings are left out because they change how the server behaves: a database in memory (deadlocks and
    lost locks) and lazy initialization (nulls in all its responses).
    """
    return {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.server-header": name,
        # Relative to the working folder: a path could contain characters that have a meaning in a URL.
        "spring.datasource.url": "jdbc:sqlite:conductor.db?busy_timeout=15000&journal_mode=WAL",
        "conductor.integrations.ai.enabled": ai,
        "conductor.enable.ui.serving": ui,
        # Without a search cluster this check fails, and with it all of /actuator/health.
        "management.health.elasticsearch.enabled": False,
        "logging.level.root": "WARN",
        "spring.main.banner-mode": "off",
        **additions,
    }


def java_command(java: Java, jar: Path, folder: Path, options: Sequence[str]) -> list[str]:
    """Returns the command line that runs the server's jar with its data in `folder`."""
    # Without it, Java 23 and newer print warnings about the server's libraries at every start.
    quiet = ["--sun-misc-unsafe-memory-access=allow"] if java.major >= 23 else []
    return [
        str(java.path),
        *quiet,
        NATIVE_ACCESS,
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",  # a file in the system's temporary folder, for monitoring tools
        "-XX:ErrorFile=java-crash.log",
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-Duser.home={folder}",  # where the AI tasks make a folder
        *options,
        "-jar",
        str(jar),
    ]


def server_variables(additions: Mapping[str, str]) -> dict[str, str]:
    """Returns this process's environment without settings meant for other servers, and with the additions."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(_SERVER_VARIABLES)}
    return {**inherited, **additions}
