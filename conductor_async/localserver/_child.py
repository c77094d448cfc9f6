"""The server's process, controlled through its supervisor."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from conductor_async.errors import LocalServerError
from conductor_async.localserver import _supervisor
from conductor_async.localserver._extra import file_lock

if TYPE_CHECKING:
    from collections.abc import Mapping


class Child:
    """A server process, from its start to its end. Used once.

    It is bound to no event loop: it may be started in one task or loop, and ended in another.

    Args:
        order: What to run.
        variables: The environment.
        log_path: The file that all output is appended to.

    Attributes:
        pid: The server's process id; None before it runs, and if Java could not be run.
        end_requested: Whether `end` was called.
    """

    def __init__(self, order: _supervisor.Order, variables: Mapping[str, str], log_path: Path) -> None:
        self._order = order
        self._variables = variables
        self._log_path = log_path
        self._folder_lock = file_lock(Path(order["folder"]) / ".lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.end_requested = False
        self.pid: int | None = None

    def spawn(self) -> None:
        """Starts the process. Blocks for some ten milliseconds: call it in a thread.

        Raises:
            LocalServerError: The supervisor cannot be started, or another LocalServer uses the folder.
        """
        from filelock import Timeout

        with self._lock:
            if self.end_requested:  # the task that wanted the server was cancelled meanwhile
                return
            try:
                self._folder_lock.acquire(blocking=False)
            except Timeout as error:
                folder = self._order["folder"]
                raise LocalServerError(
                    f"{folder} is in use by another LocalServer: choose another data_dir."
                ) from error
            try:
                self._process = self._start_supervisor()
            except OSError as error:
                self._folder_lock.release()
                raise LocalServerError(f"The Conductor server cannot be started: {error}") from error
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(self._order).encode() + b"\n")
        assert self._process.stdout is not None
        with self._process.stdout as output:
            line = output.readline()
        self.pid = int(line) if line.strip() else None  # empty: Java cannot be run, and the log says why

    def _start_supervisor(self) -> subprocess.Popen[bytes]:
        with self._log_path.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", Path(_supervisor.__file__)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._variables,
                bufsize=0,
                # Ctrl-C in a terminal reaches the whole process group, but the server must outlive its last users.
                start_new_session=sys.platform != "win32",
                creationflags=_supervisor.no_window(),
            )

    def exit_code(self) -> int | None:
        """Returns the server's exit code; None while it runs."""
        if self._process is None:
            return 0 if self.end_requested else None
        code = self._process.poll()
        if code is not None:
            self._release()
        return code

    def end(self, how: Literal["stop", "kill"]) -> None:
        """Requests the end and returns at once. The supervisor carries it out whatever happens to this process."""
        with self._lock:
            self.end_requested = True
            if self._process is not None and self._process.stdin is not None and not self._process.stdin.closed:
                with contextlib.suppress(OSError):  # the server has ended by itself
                    os.set_blocking(self._process.stdin.fileno(), False)
                    self._process.stdin.write(how.encode() + b"\n")
                self._process.stdin.close()

    def wait(self) -> None:
        """Waits until the server has ended, after `end`. Blocks: call it in a thread."""
        if self._process is None:
            return
        try:
            self._process.wait(self._order["grace"] + 10)
        except subprocess.TimeoutExpired:  # the supervisor hangs
            self._process.kill()
            self._process.wait()
        self._release()

    def _release(self) -> None:
        self._folder_lock.release()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
