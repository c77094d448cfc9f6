"""The output of an execution as the type that the caller asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

from conductor_async.errors import ConfigurationError, ResponseDecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conductor_async.models import JsonObject

_SHOWN = 10


def output_as(kind: Any) -> Callable[[JsonObject, str], Any]:
    """What makes a `kind` of an output; its second argument is whose output that is, for the error.

    Raises:
        ConfigurationError: Pydantic cannot validate such a type.
    """
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise ConfigurationError(f"type={kind!r} is nothing that pydantic can validate: {error.message}") from error

    def validated(output: JsonObject, whose: str) -> Any:
        try:
            try:
                return adapter.validate_python(output)
            except ValidationError as error:
                if set(output) == {"result"} and _fits_no_object(error):
                    return adapter.validate_python(output["result"])
                raise
        except ValidationError as error:
            raise ResponseDecodeError(
                f"The output of {whose} does not fit {_name(kind)}: {_problems(error)}.", status=200
            ) from error

    return validated


def _fits_no_object(error: ValidationError) -> bool:
    """Whether the trouble is with the output as a whole, not with something in it."""
    return any(not problem["loc"] for problem in error.errors(include_url=False, include_input=False))


def _problems(error: ValidationError) -> str:
    # Never the input itself: it may hold what must not be logged.
    found = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{_path(problem['loc'])}: {problem['msg']}" for problem in found[:_SHOWN]]
    return "; ".join([*shown, f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else shown)


def _path(location: Sequence[int | str]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    return text or "as a whole"


def _name(kind: Any) -> str:
    return kind.__qualname__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
