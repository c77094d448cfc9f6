"""The server's process, held through its supervisor."""

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
from conductor_async.localserver import supervisor
from conductor_async.localserver.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Mapping


class Child:
    """A server process, from its start to its end. Used once.

    It is bound to no event loop: it may be started in one task, or loop, and ended in another.

    Args:
        order: What to run.
        variables: The environment.
        log_path: The file that all its output is appended to.
    """

    def __init__(self, order: supervisor.Order, variables: Mapping[str, str], log_path: Path) -> None:
        self._order = order
        self._variables = variables
        self._log_path = log_path
        self._folder_lock = FileLock(Path(order["folder"]) / ".lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()
        self.end_asked = False
        self.pid: int | None = None

    def spawn(self) -> None:
        """Start the process. It blocks for some ten milliseconds: call it in a thread."""
        with self._guard:
            if self.end_asked:  # the task that wanted it was cancelled meanwhile
                return
            if not self._folder_lock.try_acquire():
                raise LocalServerError(f"{self._order['folder']} is in use by another LocalServer.")
            try:
                self._process = self._start_supervisor()
            except OSError as error:
                self._folder_lock.release()
                raise LocalServerError(f"The Conductor server cannot be started: {error}") from error
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(self._order).encode() + b"\n")
        assert self._process.stdout is not None
        with self._process.stdout as output:
            answer = output.readline()
        self.pid = int(answer) if answer.strip() else None  # none: Java cannot be run, and the log says why

    def _start_supervisor(self) -> subprocess.Popen[bytes]:
        with self._log_path.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", Path(supervisor.__file__)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._variables,
                bufsize=0,
                # Ctrl-C in a terminal reaches every process of its group: the server has to outlive its last users.
                start_new_session=sys.platform != "win32",
                creationflags=supervisor.no_window(),
            )

    def exit_code(self) -> int | None:
        """The server's exit code, if it has ended."""
        if self._process is None:
            return 0 if self.end_asked else None
        code = self._process.poll()
        if code is not None:
            self._let_go()
        return code

    def end(self, how: Literal["stop", "kill"]) -> None:
        """Order the end and return at once. The order is carried out whatever becomes of this process."""
        with self._guard:
            self.end_asked = True
            if self._process is not None and self._process.stdin is not None and not self._process.stdin.closed:
                with contextlib.suppress(OSError):  # it has ended by itself
                    os.set_blocking(self._process.stdin.fileno(), False)
                    self._process.stdin.write(how.encode() + b"\n")
                self._process.stdin.close()

    def wait(self) -> None:
        """Wait in a thread for the end that was ordered."""
        if self._process is None:
            return
        try:
            self._process.wait(self._order["grace"] + 10)
        except subprocess.TimeoutExpired:  # the supervisor does not do its work
            self._process.kill()
            self._process.wait()
        self._let_go()

    def _let_go(self) -> None:
        self._folder_lock.release()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
