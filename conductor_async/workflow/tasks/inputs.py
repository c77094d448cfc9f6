"""Task types whose fields are input parameters, and what these hold.

```python
class Summarize(InputTask, task_type="SUMMARIZE"):
    reading_level: Text                 # task.reading_level is task.input_parameters["readingLevel"]
    _: KW_ONLY
    max_words: Number | None = None
```
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from pydantic.alias_generators import to_camel

from conductor_async.workflow.references import Reference, wire_form
from conductor_async.workflow.tasks.base import TaskInterface

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonObject

__all__ = ["Flag", "InputPart", "InputTask", "Number", "Text"]

Text: TypeAlias = str | Reference
"""A text, or an expression for one."""

Number: TypeAlias = float | str | Reference
"""A number, or an expression for one."""

Flag: TypeAlias = bool | str | Reference
"""True or False, or an expression for one of them."""


class InputTask(TaskInterface):
    """A task whose own fields are input parameters, under their names in camelCase unless a field gives its `key`.

    A field and its parameter are one: setting either changes both, and setting a field to None removes the parameter.
    """

    _fields_are_inputs: ClassVar[bool] = True


@dataclasses.dataclass
class InputPart:
    """A part of a task's input with fields of its own. It is sent under the server's names; None is not sent."""

    _keys: ClassVar[Mapping[str, str]] = {}
    """The server's names that are not just camelCase, by field."""

    def to_wire(self) -> JsonObject:
        """Returns the JSON object to send. References in it are kept."""
        given = ((each.name, getattr(self, each.name)) for each in dataclasses.fields(self))
        return {self._keys.get(name) or to_camel(name): wire_form(value) for name, value in given if value is not None}
