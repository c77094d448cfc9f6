"""Handing tasks back from a thread, when the event loop that should do it is blocked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from conductor_async.client import ConductorClient
from conductor_async.errors import ConductorError
from conductor_async.resources._worker_api import hand_back

if TYPE_CHECKING:
    from collections.abc import Collection

    from conductor_async.config import Configuration
    from conductor_async.worker._in_flight.tasks import InFlightTask

logger = logging.getLogger("conductor_async")

_TIME = 3.0
"""Seconds for all of it: the process is about to end."""


def hand_back_from_thread(configuration: Configuration, in_flight: Collection[InFlightTask]) -> None:
    """Hands tasks back on an event loop of its own, over connections of its own."""
    anyio.run(_hand_back_all, configuration, in_flight)


async def _hand_back_all(configuration: Configuration, in_flight: Collection[InFlightTask]) -> None:
    async with ConductorClient(configuration) as client:
        with anyio.move_on_after(_TIME):
            async with anyio.create_task_group() as group:
                for each in in_flight:
                    group.start_soon(_hand_back, client, each)


async def _hand_back(client: ConductorClient, in_flight: InFlightTask) -> None:
    try:
        await client.worker_api.update(hand_back(in_flight.task, worker_id=in_flight.worker_id))
    except ConductorError as error:
        logger.error(
            "Task %s was not handed back, and waits for its response timeout: %s", in_flight.task.task_id, error
        )
