"""Blocking work in a thread that ends soon after the task that waits for it was cancelled.

A thread cannot be interrupted. So everything that can take long calls a `Checkpoint` every few milliseconds.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import anyio.to_thread

from conductor_async.errors import LocalServerError
from conductor_async.localserver._extra import file_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

T = TypeVar("T")

Checkpoint: TypeAlias = "Callable[[], None]"
"""Raises if the work is to be given up, else returns at once."""


async def run_cancellable(work: Callable[[Checkpoint], T]) -> T:
    """Runs `work` in a thread and returns its result. Cancelled, it raises at once, and the thread ends soon."""
    given_up = threading.Event()

    def checkpoint() -> None:
        if given_up.is_set():
            raise LocalServerError("The start was cancelled.")

    try:
        return await anyio.to_thread.run_sync(work, checkpoint, abandon_on_cancel=True)
    finally:
        given_up.set()


def sleep(seconds: float, checkpoint: Checkpoint) -> None:
    """Sleeps, as long as `checkpoint` does not raise."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        checkpoint()
        time.sleep(min(left, 0.05))


def run_program(command: list[str | Path], checkpoint: Checkpoint) -> None:
    """Runs a program to its end without output.

    Raises:
        LocalServerError: Its exit code is not 0. The message has the end of its output.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603
        try:
            while process.poll() is None:
                checkpoint()
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace").strip()
            raise LocalServerError(f"{command[0]} failed with exit code {process.returncode}:\n{text[-3000:]}")


@contextmanager
def locked(path: Path, checkpoint: Checkpoint) -> Generator[None]:
    """Holds the lock between processes that `path` stands for. Waits for it as long as `checkpoint` does not raise."""

    def cancelled() -> bool:
        checkpoint()
        return False

    path.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(path).acquire(cancel_check=cancelled):
        yield
