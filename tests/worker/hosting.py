"""Hosts on a fake server, on asyncio and on trio with a clock that jumps."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trio.testing

from conductor_async.worker import WorkerHost, worker_task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.worker.fake_conductor import FakeConductor


def jumping(threshold: float = 0) -> tuple[str, dict[str, Any]]:
    return ("trio", {"clock": trio.testing.MockClock(autojump_threshold=threshold)})


@pytest.fixture(params=[pytest.param("asyncio", id="asyncio"), pytest.param("jumping", id="trio")])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Asyncio, and trio with a clock that jumps to whatever is next as soon as all sleep."""
    if request.param == "jumping":
        return jumping()
    # A thread that works is not seen by the clock: it waits a moment in real time before it jumps.
    return jumping(0.1) if request.param == "jumping late" else request.param


class only_with_a_mock_clock:  # noqa: N801 - reads as a mark
    """For what takes long."""

    def __new__(cls, function: Any) -> Any:
        return pytest.mark.parametrize("anyio_backend", ["jumping"], indirect=True, ids=["trio"])(function)


@asynccontextmanager
async def hosting(server: FakeConductor, *workers: Any, **options: Any) -> AsyncIterator[WorkerHost]:
    async with server.client() as conductor, WorkerHost(conductor, workers, **{"poll_timeout": 0.3, **options}) as host:
        yield host


@worker_task("job", concurrency=1)
async def echo(**given: Any) -> dict[str, Any]:
    return given


def worker(function: Any, **options: Any) -> Any:
    return worker_task("job", **options)(function)


class beside_threads_with_a_mock_clock:  # noqa: N801 - reads as a mark
    """For what takes long, and has threads that work."""

    def __new__(cls, function: Any) -> Any:
        return pytest.mark.parametrize("anyio_backend", ["jumping late"], indirect=True, ids=["trio"])(function)
