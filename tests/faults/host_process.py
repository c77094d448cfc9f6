"""A worker host in a process of its own: `python host_process.py URL TASK_TYPE RECORD [OUTBOX]`.

Each run of a task adds a line to the file RECORD, at its begin and at its end. Runs take as long as there is no file
RECORD.gate, and half a second more. Ends cleanly on SIGTERM.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import anyio

from conductor_async import ConductorClient, Configuration, TaskContext, WorkerHost, worker_task


async def main(url: str, task_type: str, record: str, outbox: str | None = None) -> None:
    lines = Path(record).open("a", buffering=1)  # noqa: ASYNC230, SIM115 - lines to a local file, until the end
    gate = Path(f"{record}.gate")

    @worker_task(task_type, concurrency=20)
    async def job(context: TaskContext) -> None:
        lines.write(f"begin {context.task_id}\n")
        while not gate.exists():  # noqa: ASYNC110 - another process opens it
            await anyio.sleep(0.2)
        await anyio.sleep(0.5)
        lines.write(f"end {context.task_id}\n")

    options = {"outbox": outbox} if outbox else {}
    async with ConductorClient(Configuration(url, trust_env=False)) as conductor:
        host = WorkerHost(conductor, [job], poll_timeout=1, grace=10, **options)
        async with anyio.create_task_group() as group:

            async def stop_on_signal() -> None:
                with anyio.open_signal_receiver(*STOPPING) as signals:
                    lines.write("ready\n")
                    async for _ in signals:
                        host.stop()

            group.start_soon(stop_on_signal)
            await host.run()
            group.cancel_scope.cancel()
    lines.write("left\n")


if __name__ == "__main__":
    from signal import SIGINT, SIGTERM

    STOPPING = (SIGTERM, SIGINT)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    anyio.run(main, *sys.argv[1:])
