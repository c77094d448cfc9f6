"""Nothing may be left when a host and its client are closed: no task, no connection, no file descriptor."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import psutil
import sniffio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def _tasks() -> set[str]:
    """The tasks of this event loop. On trio a nursery owns each, and cannot be left before it has ended."""
    if sniffio.current_async_library() != "asyncio":
        return set()
    ours = ("tests.", "anyio.")  # the rig lives in the same loop, and so do its listeners
    return {
        f"{task.get_name()}: {task.get_coro()!r}"
        for task in asyncio.all_tasks()
        if not task.done() and not task.get_name().startswith(ours)
    }


def _descriptors() -> Counter[str]:
    process = psutil.Process()
    kinds = Counter(f"{each.laddr}-{each.raddr}" for each in process.net_connections("tcp"))
    return kinds + Counter({"descriptors": process.num_fds() if hasattr(process, "num_fds") else process.num_handles()})


@asynccontextmanager
async def nothing_leaks() -> AsyncIterator[None]:
    """Fails if the block leaves tasks or descriptors behind."""
    await anyio.lowlevel.checkpoint()
    gc.collect()
    tasks, descriptors = _tasks(), _descriptors()
    yield
    with anyio.move_on_after(20):  # sockets close in a later turn of the loop, and a busy machine is slow
        while _tasks() - tasks or _descriptors() - descriptors:
            gc.collect()
            await anyio.sleep(0.01)
    assert not _tasks() - tasks
    assert not _descriptors() - descriptors
