"""Task definitions that workers bring along, registered when their host starts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import ConfigurationError, NotFoundError
from conductor_async.models import TaskDef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.resources import MetadataClient
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")


def definition_of(worker: AnyWorker) -> TaskDef:
    """The definition that a worker brings along: its own with the name filled in, or one with the server's defaults.

    Raises:
        ConfigurationError: It has another name than the worker.
    """
    name = worker.task_definition_name
    given = worker.options.task_def
    if given is None:
        return TaskDef(name=name)
    if given.name not in ("", name):
        raise ConfigurationError(
            f"worker {name!r} brings the definition of {given.name!r}: leave out its name, or make them the same"
        )
    return given.model_copy(update={"name": name})


async def register(workers: Iterable[AnyWorker], metadata: MetadataClient) -> None:
    """Registers the definitions of those workers that ask for it.

    Raises:
        ConductorError: The server refused one, or cannot be reached.
    """
    for worker in workers:
        if not worker.options.register_task_def:
            continue
        definition = definition_of(worker)
        if worker.options.overwrite_task_def or not await _is_there(definition.name, metadata):
            await metadata.register_task_def(definition)
            logger.info("Task definition %r is registered", definition.name)


async def _is_there(name: str, metadata: MetadataClient) -> bool:
    try:
        await metadata.get_task_def(name)
    except NotFoundError:
        return False
    return True
