"""Fields of tasks that the server reads from the task's input, under names of its own.

```python
class Greeting(TaskInterface, task_type="GREETING"):
    language: InputField[Text] = InputField()          # task.language is task.input_parameters["language"]
    max_words: InputField[Number] = InputField()       # … and this one goes as maxWords
```
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeAlias, TypeVar, cast, overload

from pydantic.alias_generators import to_camel

from conductor_async.errors import ConfigurationError
from conductor_async.models import ConductorModel
from conductor_async.workflow.references import Reference
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions, _with_suggestion

if TYPE_CHECKING:
    from conductor_async.models import JsonObject
    from conductor_async.workflow.references import InputValue

__all__ = ["Flag", "InputField", "InputPart", "InputTask", "Number", "Text", "milliseconds", "wire_form"]

Text: TypeAlias = str | Reference
"""A text, or an expression that gives one."""

Number: TypeAlias = float | str | Reference
"""A number, or an expression that gives one."""

Flag: TypeAlias = bool | str | Reference
"""True or False, or an expression that gives one of them."""

V = TypeVar("V")


class InputField(Generic[V]):
    """An attribute of a task that stands for one of its input parameters. None takes it out.

    Args:
        key: The input parameter; the attribute's name in camelCase if not given.
    """

    def __init__(self, key: str | None = None) -> None:
        self._key = key

    def __set_name__(self, owner: type[object], name: str) -> None:
        self._key = self._key or to_camel(name)

    @overload
    def __get__(self, task: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, task: TaskInterface, owner: type[object]) -> V | None: ...
    def __get__(self, task: TaskInterface | None, owner: type[object]) -> Self | V | None:
        return self if task is None else task.input_parameters.get(self._name)

    def __set__(self, task: TaskInterface, value: V | None) -> None:
        if value is None:
            task.input_parameters.pop(self._name, None)
        else:
            task.input_parameters[self._name] = wire_form(value)

    @property
    def _name(self) -> str:
        if self._key is None:
            raise TypeError("An InputField is an attribute of a class.")
        return self._key


class InputTask(TaskInterface):
    """The base of tasks with many input fields: all that have an `InputField` are options of the constructor too.

    Args:
        task_ref_name: The name of this place in the workflow.
        inputs: The input fields that have parameters of their own, by name.
        options: The fields that all tasks have, and the other input fields.
    """

    def __init__(self, task_ref_name: str, inputs: Mapping[str, object], options: Mapping[str, object]) -> None:
        common = {name: value for name, value in options.items() if name in TaskOptions.__annotations__}
        super().__init__(task_ref_name, **cast("TaskOptions", common))
        for name, value in {**inputs, **options}.items():
            if name in common:
                continue
            if not isinstance(inspect.getattr_static(type(self), name, None), InputField):
                known = TaskOptions.__annotations__.keys() | self._settable
                raise TypeError(f"{type(self).__name__}() has no field {_with_suggestion(name, known)}")
            setattr(self, name, value)


@dataclasses.dataclass
class InputPart:
    """A part of a task's input that has fields of its own. Sent under the server's names, without what is None."""

    _keys: ClassVar[Mapping[str, str]] = {}
    """The names that are not just camelCase."""

    def to_wire(self) -> JsonObject:
        """The JSON object that is sent for it; references in it are kept."""
        given = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {self._keys.get(name) or to_camel(name): wire_form(value) for name, value in given if value is not None}


def wire_form(value: InputValue) -> InputValue:
    """A copy of `value` in which everything that knows its wire form has it: parts, and models such as `SchemaDef`."""
    if isinstance(value, InputPart | ConductorModel):
        return wire_form(value.to_wire())
    if isinstance(value, Mapping):
        return {key: wire_form(item) for key, item in cast("Mapping[str, InputValue]", value).items()}
    if isinstance(value, list | tuple):
        return [wire_form(item) for item in cast("list[InputValue]", value)]
    return value


def milliseconds(duration: float | timedelta, what: str) -> int:
    """`duration`, which is in seconds, in the whole milliseconds that the server wants.

    Raises:
        ConfigurationError: It is no time, or looks like milliseconds.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if not 0 <= seconds < float("inf"):
        raise ConfigurationError(f"{what} is a number of seconds from 0, or a timedelta, not {duration!r}.")
    if seconds >= _SURELY_MILLISECONDS and not isinstance(duration, timedelta):
        raise ConfigurationError(
            f"{what} is in seconds: {duration!r} would be {seconds / 60:.0f} minutes. For {duration!r} milliseconds"
            f" write {seconds / 1000:g}; if you do mean that long, give a timedelta."
        )
    return round(seconds * 1000)


# conductor-python has milliseconds here: 1000 and up are theirs. No HTTP request waits for a quarter of an hour.
_SURELY_MILLISECONDS = 900
