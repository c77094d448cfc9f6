"""Runs as a process of its own between this library and the server, and ends the server when its parent is gone.

A process that is killed cannot tell its children. What works on every platform is a pipe: the operating system closes
it with its last holder, whatever the holder died of. So this small program holds one end, is the server's parent, and
takes the end of the pipe as the order to stop. Being the parent it can never signal a process that has since got the
server's number, and a stop takes the same path whether it was asked for or not. (Linux could send a signal at the
parent's death by itself, but it would be sent at the death of the *thread* that had started the server.)

It imports the standard library only, and is started by its path: `python -I -S supervisor.py`.

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
        grace: Seconds that it has to stop by itself.
        recording: A file that the server writes at the end of a clean exit, if it is to be kept, and
        recorded: the name that it gets then.
        leftover: A folder to delete if the parent died and so cannot.
    """

    command: list[str]
    folder: str
    grace: float
    recording: str | None
    recorded: str | None
    leftover: str | None


def no_window() -> int:
    """On Windows, flags for a process without a console of its own; elsewhere 0."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def _die_with_me() -> None:
    """In the new process: ask Linux to kill it when this supervisor is killed. It has no threads yet."""
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
    """Wait until the server has ended; say whether the parent had died before."""
    events = _events(server)
    parent = os.getppid()
    deadline: float | None = None
    orphaned = False
    while True:
        try:
            event = events.get(timeout=1)
        except Empty:
            # A child that the parent had forked would keep the pipe open: look for the parent, too.
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
            if code in {0, 128 + signal.SIGTERM}:  # Java's exit after SIGTERM: its exit work is done
                os.replace(recording, recorded)  # noqa: PTH105 - pathlib would be one more import for one call
            else:
                os.unlink(recording)  # noqa: PTH108 - as above
    if orphaned and order["leftover"]:
        import shutil

        shutil.rmtree(order["leftover"], ignore_errors=True)


def main() -> int:
    """Run the server that standard input names; return its exit code."""
    order: Order = json.loads(sys.stdin.buffer.readline())
    server = _start(order)
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    orphaned = _supervise(server, order["grace"])
    code = server.returncode if server.returncode >= 0 else 128 - server.returncode
    _clean_up(order, code, orphaned=orphaned)
    return code


if __name__ == "__main__":
    # Not sys.exit(): a thread still reads standard input, and the interpreter cannot be torn down around it.
    os._exit(main())
