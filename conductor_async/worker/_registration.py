"""Task definitions that workers bring along, registered when their host starts."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import logging
from typing import TYPE_CHECKING, Any

from conductor_async.errors import ConfigurationError, NotFoundError
from conductor_async.models import TaskDef
from conductor_async.worker._function.return_types import output_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def derived_definition(worker: AnyWorker, fields: Mapping[str, Any]) -> TaskDef:
    """The definition that a worker brings along, with what its function tells, and these fields.

    Raises:
        TypeError: There is no such field.
        ConfigurationError: The definition has another name than the worker, or an annotation cannot be resolved.
    """
    if unknown := sorted(fields.keys() - TaskDef.model_fields.keys()):
        near = difflib.get_close_matches(unknown[0], TaskDef.model_fields, n=1)
        raise TypeError(f"A TaskDef has no field {unknown[0]!r}" + (f": did you mean {near[0]!r}?" if near else ""))
    definition = definition_of(worker).model_copy(deep=True)
    first_line = (inspect.getdoc(worker.function) or "").partition("\n")[0].strip()
    if first_line and not definition.description:
        definition.description = first_line
    if names := definition.input_keys or worker.arguments.names():
        definition.input_keys = names
    with contextlib.suppress(ConfigurationError):  # what it returns may be known to type checkers alone
        if names := definition.output_keys or output_keys(worker.returned()):
            definition.output_keys = names
    said = {name: getattr(definition, name) for name in definition.model_fields_set}
    return TaskDef.model_validate({**(definition.model_extra or {}), **said, **fields})


async def register(workers: Iterable[AnyWorker], metadata: MetadataClient) -> None:
    """Registers the definitions of those workers that ask for it.

    Raises:
        ConductorError: The server refused one, or cannot be reached.
    """
    for worker in workers:
        if not worker.options.register_task_def:
            continue
        definition = derived_definition(worker, {})
        if worker.options.overwrite_task_def or not await _is_there(definition.name, metadata):
            await metadata.register_task_def(definition)
            logger.info("Task definition %r is registered", definition.name)


async def _is_there(name: str, metadata: MetadataClient) -> bool:
    try:
        await metadata.get_task_def(name)
    except NotFoundError:
        return False
    return True
