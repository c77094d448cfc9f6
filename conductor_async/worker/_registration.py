"""Registers the task definitions of workers when their host starts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.resources import MetadataClient
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")


async def register_task_defs(workers: Iterable[AnyWorker], metadata: MetadataClient) -> None:
    """Registers the definitions of the workers with `register_task_def`.

    Raises:
        ConductorError: The server rejected a definition, or cannot be reached.
    """
    for worker in workers:
        if not worker.options.register_task_def:
            continue
        definition = worker.task_def()
        if worker.options.overwrite_task_def or not await _exists(definition.name, metadata):
            await metadata.register_task_def(definition)
            logger.info("Registered the task definition %r", definition.name)


async def _exists(name: str, metadata: MetadataClient) -> bool:
    try:
        await metadata.get_task_def(name)
    except NotFoundError:
        return False
    return True
