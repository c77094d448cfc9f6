"""Options of workers from environment variables, with conductor-python's names and meanings.

The variables for the option `domain` of the worker `greet`, from the most to the least specific. The first that is set
wins, also over the code:

    conductor.worker.greet.domain      conductor_worker_greet_domain      CONDUCTOR_WORKER_GREET_DOMAIN
    conductor.worker.all.domain        CONDUCTOR_WORKER_ALL_DOMAIN
    conductor_worker_domain            CONDUCTOR_WORKER_DOMAIN

Times are in milliseconds here, and nowhere else.
"""

from __future__ import annotations

import difflib
import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from conductor_async.errors import ConfigurationError
from conductor_async.resources._worker_api import LONGEST_POLL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


def _boolean(text: str) -> bool:
    if (value := _BOOLEANS.get(text.lower())) is None:
        raise ValueError("must be true or false")
    return value


def _positive_integer(text: str) -> int:
    if not re.fullmatch(r"\d+", text) or int(text) < 1:
        raise ValueError("must be a whole number of at least 1")
    return int(text)


def _milliseconds(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d*)?", text):
        raise ValueError("must be a number of milliseconds")
    return float(text) / 1000


def _poll_timeout(text: str) -> float:
    value = _milliseconds(text)
    if not 0 < value <= LONGEST_POLL:
        raise ValueError(f"must be milliseconds, more than 0 and at most {LONGEST_POLL * 1000:.0f}")
    return value


def _text(text: str) -> str | None:
    return text or None


@dataclass(frozen=True, slots=True)
class _Property:
    """An option of workers, and its names in environment variables: the first one wins."""

    option: str
    names: tuple[str, ...]
    parse: Callable[[str], Any]


_PROPERTIES = (
    _Property("poll_interval", ("poll_interval_millis", "poll_interval", "polling_interval"), _milliseconds),
    _Property("poll_timeout", ("poll_timeout",), _poll_timeout),
    _Property("domain", ("domain",), _text),
    _Property("worker_id", ("worker_id",), _text),
    _Property("concurrency", ("thread_count", "concurrency"), _positive_integer),
    _Property("paused", ("paused",), _boolean),
    _Property("register_task_def", ("register_task_def",), _boolean),
    _Property("overwrite_task_def", ("overwrite_task_def",), _boolean),
    _Property("strict_schema", ("strict_schema",), _boolean),
    _Property("lease_extend_enabled", ("lease_extend_enabled",), _boolean),
)

_KNOWN = {name for each in _PROPERTIES for name in each.names} | {"register_schema"}


def overridden(workers: Iterable[AnyWorker], environment: Mapping[str, str]) -> tuple[AnyWorker, ...]:
    """Returns the workers with the options that the environment sets. Logs each change.

    Raises:
        ConfigurationError: A variable has an invalid value.
    """
    if not environment:
        return tuple(workers)
    _warn_about_unknown(environment)
    return tuple(_overridden(worker, environment) for worker in workers)


def _overridden(worker: AnyWorker, environment: Mapping[str, str]) -> AnyWorker:
    changes: dict[str, Any] = {}
    sources: list[str] = []
    for each in _PROPERTIES:
        names = _variables(worker.task_definition_name, each.names)
        variable = next((name for name in names if name in environment), None)
        if variable is None:
            continue
        text = environment[variable].strip()
        if not text and each.parse is not _text:
            continue  # a deployment's template sets variables to nothing: that counts as not set
        try:
            changes[each.option] = each.parse(text)
        except ValueError as error:
            raise ConfigurationError(f"the environment variable {variable} {error}, not {text!r}") from None
        sources.append(f"{each.option}={changes[each.option]!r} ({variable})")
    if not changes:
        return worker
    logger.info("Worker %r has options from the environment: %s", worker.task_definition_name, ", ".join(sources))
    return worker.with_options(replace(worker.options, **changes))


def _variables(worker: str, properties: tuple[str, ...]) -> Iterator[str]:
    """Yields the variables that can set an option, the most specific first."""
    upper = [name.upper() for name in properties]
    yield from (f"conductor.worker.{worker}.{name}" for name in properties)
    yield from (f"conductor_worker_{worker}_{name}" for name in properties)
    # The last spelling is for names such as `my-task`, which no shell accepts in a variable's name.
    for spelling in dict.fromkeys((worker.upper(), worker, re.sub(r"\W", "_", worker).upper())):
        yield from (f"CONDUCTOR_WORKER_{spelling}_{name}" for name in upper)
    yield from (f"conductor.worker.all.{name}" for name in properties)
    yield from (f"CONDUCTOR_WORKER_ALL_{name}" for name in upper)
    yield from (f"conductor_worker_{name}" for name in properties)
    yield from (f"CONDUCTOR_WORKER_{name}" for name in upper)


def _warn_about_unknown(environment: Mapping[str, str]) -> None:
    """Warns of unknown options of all workers. A name of one worker may be right in another process."""
    for variable in environment:
        found = re.fullmatch(r"conductor\.worker\.all\.(\w+)|CONDUCTOR_WORKER_ALL_(\w+)", variable)
        if found is None or (name := (found[1] or found[2]).lower()) in _KNOWN:
            continue
        near = difflib.get_close_matches(name, sorted(_KNOWN), n=1)
        hint = f": did you mean {variable[: -len(name)]}{near[0] if found[1] else near[0].upper()}?" if near else ""
        logger.warning("The environment variable %s sets no option of workers, so it is ignored%s", variable, hint)
