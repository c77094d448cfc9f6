"""The host of the soak, in a process of its own: `python soak_host.py URL RECORD GIVEN_UP`.

It is left and entered again, with an outbox that outlives that. Each run of a task adds its id to the file RECORD.
What a host that stops has to leave to response timeouts, because the server cannot be reached for so long, it adds to
the file GIVEN_UP: the id of a task that it could not hand back, or its own worker id if it could not find out what it
had been handed out. Ends cleanly on SIGTERM.
"""

from __future__ import annotations

import logging
import random
import signal
import sys
from pathlib import Path

import anyio

from conductor_async import ConductorClient, Configuration, TaskContext, WorkerHost, worker_task
from conductor_async.worker.events import OrphanRecoveryFailed, ResultLost, WorkerEvent

ENTERED_FOR = (60, 180)
"""Seconds from entering the host to leaving it."""


async def main(url: str, record: str, given_up: str) -> None:
    left = Path(given_up).open("a", buffering=1)  # noqa: ASYNC230, SIM115 - as below

    def note(event: WorkerEvent) -> None:
        match event:
            case ResultLost(in_outbox=False, result=result):
                left.write(f"{result.task_id}\n")
            case OrphanRecoveryFailed(worker_id=worker_id):
                left.write(f"{worker_id}\n")

    lines = Path(record).open("a", buffering=1)  # noqa: ASYNC230, SIM115 - lines to a local file, until the end

    @worker_task("soak_short", concurrency=20)
    async def short(context: TaskContext) -> dict[str, str]:
        lines.write(f"{context.task_id}\n")
        await anyio.sleep(random.expovariate(5))
        return {"padding": "x" * random.randrange(2000)}

    @worker_task("soak_long", concurrency=20)
    async def long(context: TaskContext) -> None:
        lines.write(f"{context.task_id}\n")
        await anyio.sleep(70)  # beyond its response timeout

    ended = anyio.Event()
    async with ConductorClient(Configuration(url, trust_env=False)) as conductor, anyio.create_task_group() as group:

        async def end_on_signal() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM) as signals:
                async for _ in signals:
                    ended.set()

        group.start_soon(end_on_signal)
        while not ended.is_set():
            async with WorkerHost(conductor, [short, long], grace=5, outbox=f"{record}.outbox", listeners=[note]):
                with anyio.move_on_after(random.uniform(*ENTERED_FOR)):
                    await ended.wait()
        group.cancel_scope.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    anyio.run(main, *sys.argv[1:])
