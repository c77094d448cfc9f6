"""The output of an execution, validated as the type that the caller asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

from conductor_async.errors import ConfigurationError, ResponseDecodeError
from conductor_async.models._aliases import key_renamer
from conductor_async.models._foreign_types import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conductor_async.models import JsonObject

_MAX_PROBLEMS = 10


def output_validator(output_type: Any) -> Callable[[JsonObject, str], Any]:
    """Returns a function that validates an output as this type. Its second argument names the owner, for the error.

    Raises:
        ConfigurationError: Pydantic cannot validate such a type.
    """
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(readable(output_type))
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise ConfigurationError(
            f"type={output_type!r} is not a type that pydantic can validate: {error.message}"
        ) from error

    rename: Callable[[Any], Any] = key_renamer(output_type) or (lambda value: value)

    def validate(output: JsonObject, owner: str) -> Any:
        try:
            try:
                return adapter.validate_python(rename(output))
            except ValidationError as error:
                if set(output) == {"result"} and _concerns_whole_output(error):
                    return adapter.validate_python(rename(output["result"]))
                raise
        except ValidationError as error:
            raise ResponseDecodeError(
                f"The output of {owner} is not a valid {_type_name(output_type)}: {_problems(error)}.", status=200
            ) from error

    return validate


def _concerns_whole_output(error: ValidationError) -> bool:
    """Returns whether the type takes no object at all, rather than not this one."""
    return any(not problem["loc"] for problem in error.errors(include_url=False, include_input=False))


def _problems(error: ValidationError) -> str:
    # Never the input itself: it may hold what must not be logged.
    found = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{_path(problem['loc'])}: {problem['msg']}" for problem in found[:_MAX_PROBLEMS]]
    return "; ".join([*shown, f"and {len(found) - _MAX_PROBLEMS} more"] if len(found) > _MAX_PROBLEMS else shown)


def _path(location: Sequence[int | str]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    return text or "as a whole"


def _type_name(output_type: Any) -> str:
    is_plain_class = isinstance(output_type, type) and not hasattr(output_type, "__args__")
    return output_type.__qualname__ if is_plain_class else str(output_type)
