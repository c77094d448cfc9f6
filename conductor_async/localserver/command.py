"""The server's settings and command line: chosen to start fast and to behave as the server does by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conductor_async.localserver.java import Java

# Newer Javas warn when a library loads native code, as SQLite's does. It decides how Java lays out its modules, so the
# class data have to be made with it, too.
NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED"

Property = str | float | bool


def server_properties(
    port: int, name: str, *, ai: bool, ui: bool, additions: Mapping[str, Property]
) -> dict[str, Property]:
    """The server's properties, with the user's over ours.

    Two things are faster still and are not done, because they change how the server behaves: a database in memory
    (deadlocks and lost locks) and lazy initialization (nulls in all its answers).
    """
    return {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.server-header": name,
        # A name relative to the working folder: a path could hold characters that mean something in an address.
        "spring.datasource.url": "jdbc:sqlite:conductor.db?busy_timeout=15000&journal_mode=WAL",
        "conductor.integrations.ai.enabled": ai,
        "conductor.enable.ui.serving": ui,
        # Without a search cluster its check fails, and with it /actuator/health as a whole.
        "management.health.elasticsearch.enabled": False,
        "logging.level.root": "WARN",
        "spring.main.banner-mode": "off",
        **additions,
    }


def java_command(java: Java, jar: Path, folder: Path, options: Sequence[str]) -> list[str]:
    """The command line that runs the server's jar with its data in `folder`."""
    # Newer Javas warn of what the server's libraries do at every start.
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
