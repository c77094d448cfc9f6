"""Runs as a process of its own between this library and the server, and ends the server when its parent is gone.

A process that is killed cannot tell its children. A pipe works on every platform: the operating system closes it when
its last holder dies, for whatever reason. So this small program reads from a pipe that its parent holds, is itself the
parent of the server, and stops the server when the pipe ends. As the server's parent it can never signal another
process that got the server's process id later, and a stop takes the same path whether it was requested or not. (Linux
could send a signal when the parent dies, but sends it when the *thread* dies that has started the server.)

It imports the standard library only, and is started by its path: `python -I -S _supervisor.py`.

Standard input: one line of JSON (`Order`), later `stop` or `kill`. Standard output: the server's process id.
Standard error: the log, shared with the server. The exit code is the server's.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import TypedDict


class Order(TypedDict):
    """What to run, and what to do in the end.

    Attributes:
        command: The server's command line.
        folder: Its working directory.
        grace: Seconds between the request to stop and the kill.
        recording: A file that the server writes during a clean exit; None if it writes none.
        recorded: The name that `recording` gets after a clean exit.
        leftover: A folder to delete if the parent has died and cannot delete it.
    """

    command: list[str]
    folder: str
    grace: float
    recording: str | None
    recorded: str | None
    leftover: str | None


def no_window() -> int:
    """Returns flags for a process without a console of its own on Windows, 0 elsewhere."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def _die_with_me() -> None:
    """Runs in the new process: has Linux kill it when this supervisor is killed. There are no other threads yet."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _start(order: Order) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the command was made by LocalServer
        order["command"],
        cwd=order["folder"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        stderr=subprocess.STDOUT,
        preexec_fn=_die_with_me if sys.platform == "linux" else None,
        creationflags=no_window(),
    )


def _events(server: subprocess.Popen[bytes]) -> SimpleQueue[str]:
    events: SimpleQueue[str] = SimpleQueue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            events.put(line.decode().strip())
        events.put("orphaned")

    def watch() -> None:
        server.wait()
        events.put("ended")

    threading.Thread(target=listen, daemon=True).start()
    threading.Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda _number, _frame: events.put("stop"))
    return events


def _supervise(server: subprocess.Popen[bytes], grace: float) -> bool:
    """Waits until the server has ended. Returns whether the parent died before."""
    events = _events(server)
    parent = os.getppid()
    deadline: float | None = None
    orphaned = False
    while True:
        try:
            event = events.get(timeout=1)
        except Empty:
            # A forked child of the parent would keep the pipe open after the parent's death: check the parent, too.
            event = "" if os.getppid() == parent else "orphaned"
        if event == "ended":
            return orphaned
        if event in {"stop", "orphaned"} and deadline is None:
            orphaned = event == "orphaned"
            deadline = time.monotonic() + grace
            server.terminate()
        elif event == "kill" or (deadline is not None and time.monotonic() > deadline):
            server.kill()
            deadline = deadline or time.monotonic()


def _clean_up(order: Order, code: int, *, orphaned: bool) -> None:
    recording, recorded = order["recording"], order["recorded"]
    if recording and recorded:
        with contextlib.suppress(OSError):
            if code in {0, 128 + signal.SIGTERM}:  # Java's exit code after SIGTERM, once its exit hooks are done
                os.replace(recording, recorded)  # noqa: PTH105 - pathlib would be one more import for one call
            else:
                os.unlink(recording)  # noqa: PTH108 - as above
    if orphaned and order["leftover"]:
        import shutil

        shutil.rmtree(order["leftover"], ignore_errors=True)


def main() -> int:
    """Runs the server that standard input names. Returns its exit code."""
    order: Order = json.loads(sys.stdin.buffer.readline())
    server = _start(order)
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    orphaned = _supervise(server, order["grace"])
    code = server.returncode if server.returncode >= 0 else 128 - server.returncode
    _clean_up(order, code, orphaned=orphaned)
    return code


if __name__ == "__main__":
    # Not sys.exit(): a thread still reads standard input, and the interpreter could not shut down before it ends.
    os._exit(main())
