"""The child processes of one kind: one that stays warm, and more while several jobs run at the same time.

All embedded Conductors of a process share them. They start with the first job and end with this process.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from conductor_async.engine.sandbox.job import ComputationFailedError, Job, LimitExceededError, SandboxUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["Pool"]

_PROGRAM = Path(__file__).with_name("_child.py")
_HEADER = struct.Struct(">Q")
_MAX_CHILDREN = 4
_MEMORY_BYTES = 1024 * 1024 * 1024
_MAX_RESULT_BYTES = 64 * 1024 * 1024


class Pool:
    """Runs jobs of one kind in child processes.

    Args:
        kind: What the children do: see `_child`.
        settings: What a child of this kind needs.
    """

    def __init__(self, kind: str, settings: Mapping[str, Any] | None = None) -> None:
        self._settings = {**(settings or {}), "kind": kind, "memory_bytes": _MEMORY_BYTES}
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Starts anew, also after a fork: the children and threads belong to the process that started them."""
        self._lock = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._children: list[_Child] = []
        self._idle = 0
        self._was_warm = False

    def submit(self, job: Job) -> None:
        """Has a job run, by an idle child, a new one, or the next that is idle."""
        with self._lock:
            self._waiting.append(job)
            if self._idle < len(self._waiting) and len(self._children) < _MAX_CHILDREN:
                self._start_child()
            else:
                self._lock.notify()

    def warm_up(self) -> None:
        """Starts a child if there is none. It does not wait for it."""
        with self._lock:
            if not self._children:
                self._start_child()

    def wait_until_warm(self, seconds: float) -> None:
        """Blocks until the first child is ready for a job, or the seconds are over."""
        if self._was_warm:
            return
        self.warm_up()
        with self._lock:
            self._was_warm = self._lock.wait_for(lambda: any(child.is_ready for child in self._children), seconds)

    def close(self) -> None:
        """Ends the children and their threads. The next job starts them again."""
        with self._lock:
            children, self._children = self._children, []
            waiting, self._waiting = list(self._waiting), deque()
            for child in children:
                child.stop()
            self._lock.notify_all()
        for job in waiting:
            job.finish(error=SandboxUnavailableError("The sandbox was closed."))
        for child in children:
            child.thread.join()

    def _start_child(self) -> None:
        child = _Child(self._settings)
        child.thread = threading.Thread(target=self._serve, args=(child,), name="conductor_async sandbox", daemon=True)
        if not self._children:
            atexit.register(self.close)
        self._children.append(child)
        child.thread.start()

    def _serve(self, child: _Child) -> None:
        """Runs jobs in a child, until it or the pool ends. The next job then gets another child."""
        try:
            child.prepare()
            with self._lock:
                self._lock.notify_all()
            while (job := self._next_job(child)) is not None:
                if job.cancelled:
                    job.finish(error=SandboxUnavailableError("The job was cancelled."))
                elif not child.run(job):
                    break
        finally:
            child.end()
            with self._lock:
                if child in self._children:
                    self._children.remove(child)
                if not self._children and not child.is_stopped and child.is_usable:
                    self._start_child()  # the next job finds a warm one

    def _next_job(self, child: _Child) -> Job | None:
        with self._lock:
            self._idle += 1
            try:
                self._lock.wait_for(lambda: self._waiting or child.is_stopped)
            finally:
                self._idle -= 1
            return None if child.is_stopped else self._waiting.popleft()


class _Child:
    """A child process. Its thread writes a job and reads the result, so that nobody else waits for it."""

    thread: threading.Thread

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._remove_folder: weakref.finalize[..., Any] | None = None
        self._unavailable: SandboxUnavailableError | None = None
        self.is_stopped = False
        self.is_ready = False

    def prepare(self) -> None:
        """Starts the process, and returns when it is ready for a job. If it cannot start, the next job says so."""
        try:
            self._start()
        except SandboxUnavailableError as error:
            self._unavailable = error
        except OSError as error:
            self._unavailable = SandboxUnavailableError(f"The sandbox cannot start: {error}")
        self.is_ready = True

    @property
    def is_usable(self) -> bool:
        """Whether the process could start."""
        return self._unavailable is None

    def run(self, job: Job) -> bool:
        """Runs a job and sets its outcome. Returns whether the child can run another one."""
        process = self._process
        if process is None or self._unavailable is not None:
            job.finish(error=self._unavailable or SandboxUnavailableError("The sandbox was closed."))
            return False
        job.begin(process.kill)
        began = time.monotonic()
        with _killed_after(process, job.time_limit):
            message = {"arguments": job.arguments, "options": job.options, "time_limit": job.time_limit}
            response = self._exchange(process, message)
        if response is None:
            is_late = time.monotonic() - began >= job.time_limit
            job.finish(error=LimitExceededError("time" if is_late else "memory"))
            return False
        if "value" in response:
            job.finish(response["value"])
        elif "failure" in response:
            job.finish(error=LimitExceededError(response["failure"]))
        else:
            job.finish(error=ComputationFailedError(response["error"]))
        return True

    def stop(self) -> None:
        """Has the thread end, and the process if there is one."""
        self.is_stopped = True
        process = self._process
        if process is not None:
            process.kill()

    def end(self) -> None:
        """Ends the process and frees what belongs to it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):  # what was not written any more
                    if stream is not None:
                        stream.close()
        if self._remove_folder is not None:
            self._remove_folder()

    def _start(self) -> None:
        folder = tempfile.mkdtemp(prefix="conductor-async-sandbox-")
        # It also runs when the interpreter exits, where nobody stops the children: they end with this process.
        self._remove_folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        process = self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with a program of this package
            [sys.executable, "-I", "-S", "-c", _BOOTSTRAP, str(_PROGRAM), *filter(None, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"SYSTEMROOT": os.environ["SYSTEMROOT"]} if "SYSTEMROOT" in os.environ else {},
            start_new_session=True,  # Ctrl-C in a terminal is for the parent
        )
        response = self._exchange(process, self._settings)
        if response is None:
            raise SandboxUnavailableError("The sandbox's process ended while it started.")
        if "missing" in response:
            raise SandboxUnavailableError(response["missing"], is_library_missing=True)

    def _exchange(self, process: subprocess.Popen[bytes], message: Mapping[str, Any]) -> dict[str, Any] | None:
        """Returns the response to a message; None if the process has ended."""
        if process.stdin is None or process.stdout is None:
            return None
        try:
            encoded = json.dumps(message).encode()
            process.stdin.write(_HEADER.pack(len(encoded)) + encoded)
            process.stdin.flush()
            return _receive(process.stdout)
        except (OSError, ValueError):
            return None


@contextmanager
def _killed_after(process: subprocess.Popen[bytes], seconds: float) -> Generator[None]:
    """Ends the process if the context is open for so long, where it cannot set an alarm for itself."""
    if os.name != "nt":
        yield
        return
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


# `-S` and `-I` keep what a user's site has set up from running in the child; only the paths are the parent's.
_BOOTSTRAP = "import sys, runpy; program, *sys.path[:] = sys.argv[1:]; runpy.run_path(program, run_name='__main__')"


def _receive(stream: IO[bytes]) -> dict[str, Any] | None:
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    length = _HEADER.unpack(header)[0]
    if length > _MAX_RESULT_BYTES:
        return None
    response: dict[str, Any] = json.loads(stream.read(length))
    return response
