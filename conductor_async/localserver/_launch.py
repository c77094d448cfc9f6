"""Starts the server's process, and waits until it is ready."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import anyio
import anyio.to_thread

from conductor_async.errors import LocalServerError
from conductor_async.localserver._artifact import install
from conductor_async.localserver._child import Child
from conductor_async.localserver._class_data import class_data
from conductor_async.localserver._command import java_command, server_properties, server_variables
from conductor_async.localserver._download import show
from conductor_async.localserver._health import healthy
from conductor_async.localserver._java import find_java

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conductor_async.localserver._cancellable import Checkpoint
    from conductor_async.localserver._class_data import ClassData
    from conductor_async.localserver._command import Property
    from conductor_async.localserver._java import Java
    from conductor_async.localserver._log import Log

_GRACE = 10.0
_SHOW_EVERY = 15.0
_MAX_TIMEOUTS = 5
# At the end of a first run Java writes the class data: some seconds of work, and many on a busy machine.
_RECORDING_GRACE = 60.0


class PortInUseError(LocalServerError):
    """Another program took the port before the server did."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user wants to run. `LocalServer` describes each of them."""

    version: str
    properties: Mapping[str, Property]
    env: Mapping[str, str]
    ai: bool
    ui: bool
    java: Path | None
    java_options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Installation:
    """A server that is installed on this machine and can be started."""

    settings: Settings
    java: Java
    jar: Path
    class_data: ClassData | None

    def new_child(self, folder: Path, *, port: int, name: str, log_path: Path, delete_folder: bool) -> Child:
        """Returns the process to start, with its data in `folder`.

        Args:
            folder: The server's working directory.
            port: The port to listen on.
            name: What the server calls itself in the header `Server`.
            log_path: The file to append its output to.
            delete_folder: Whether the folder is deleted when this process dies before the server.
        """
        settings, data = self.settings, self.class_data
        properties = server_properties(port, name, ai=settings.ai, ui=settings.ui, additions=settings.properties)
        # Not on the command line: every user of the machine can read that, and properties can be secret.
        variables = {**server_variables(settings.env), "SPRING_APPLICATION_JSON": json.dumps(properties)}
        recording = data.recording if data else None
        return Child(
            {
                "command": java_command(
                    self.java, self.jar, folder, (*(data.options if data else ()), *settings.java_options)
                ),
                "folder": str(folder),
                "grace": _RECORDING_GRACE if recording else _GRACE,
                "recording": str(recording) if recording else None,
                "recorded": str(data.archive) if data else None,
                "leftover": str(folder) if delete_folder else None,
            },
            variables,
            log_path,
        )


def prepare(settings: Settings, checkpoint: Checkpoint) -> Installation:
    """Finds Java, downloads and unpacks the server if need be, and returns what can be started."""
    java = find_java(settings.java)
    jar = install(settings.version, java.path, checkpoint)
    data = class_data(jar.parent.parent, java, settings.java_options, checkpoint)
    checkpoint()
    return Installation(settings, java, jar, data)


async def wait_until_ready(child: Child, log: Log, settings: Settings, *, port: int, name: str, timeout: float) -> None:
    """Returns when the server answers that it is healthy. On standard error, it says now and then that it waits.

    Raises:
        PortInUseError: Another program uses the port.
        LocalServerError: The server ended, its log says that it failed, or its log has not grown for `timeout` seconds.
    """
    name = str(settings.properties.get("server.server-header", name))
    wait = StartupWait(log, timeout)
    pause = 0.0125
    while True:
        code = child.exit_code()
        failure = await anyio.to_thread.run_sync(log.failure)
        if code is not None:
            await _fail(log, settings, f"it ended with exit code {code}")
        if failure:
            await anyio.sleep(0.3)  # the log gives the reason after these words
            await _fail(log, settings, f"its log says {failure!r}")
        if await healthy(port, name):
            return
        if await anyio.to_thread.run_sync(wait.is_over):
            await _fail(log, settings, f"it was not ready after {timeout:g} seconds without progress (startup_timeout)")
        pause = min(0.1, 2 * pause)
        await anyio.sleep(pause)


class StartupWait:
    """How long a start may take: as long as the log grows, because a busy machine is slow, but not for ever.

    Args:
        log: The log of the start.
        timeout: Seconds without a new line after which the wait is over.
    """

    def __init__(self, log: Log, timeout: float) -> None:
        self._log = log
        self._timeout = timeout
        self._began = self._grew = self._shown = time.monotonic()
        self._size = 0

    def is_over(self) -> bool:
        """Returns whether the start has made no progress for too long, and shows that it takes long."""
        now, size = time.monotonic(), self._log.size()
        if size > self._size:
            self._size, self._grew = size, now
        if now - self._shown > _SHOW_EVERY:
            self._shown = now
            show(f"the Conductor server is starting ({now - self._began:.0f} s). Its log: {self._log.path}")
        return now - self._grew > self._timeout or now - self._began > _MAX_TIMEOUTS * self._timeout


async def _fail(log: Log, settings: Settings, reason: str) -> NoReturn:
    tail = await anyio.to_thread.run_sync(log.tail)
    port_in_use = await anyio.to_thread.run_sync(log.port_in_use)
    text = f"The Conductor server {settings.version} did not start: {reason}. Its log, {log.path}, ends with:\n{tail}"
    raise PortInUseError(text) if port_in_use else LocalServerError(text)
