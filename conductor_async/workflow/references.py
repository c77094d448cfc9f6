"""References: `${…}` expressions, written as Python attributes.

```python
workflow.input.customer.name        # ${workflow.input.customer.name}
greet.output["first name"]          # ${greet_ref.output['first name']}
f"Hello, {workflow.input.name}!"    # Hello, ${workflow.input.name}!
```

A reference is not a `str`, because `order.output.title` and `order.output.count` would then be methods of `str`. It
becomes text in f-strings, `str()` and `+`, and at the latest when the definition is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["InputValue", "Reference", "env", "secret"]

InputValue: TypeAlias = Any
"""JSON with references anywhere inside: what a task's input parameters and a workflow's output parameters hold."""

# The keys that the server's JSONPath reads after a dot. All others go between ['…'].
_BARE_KEY = re.compile(r"[\w-]+")


class Reference:
    """A `${…}` expression, immutable; equal to its text.

    Attributes and `[...]` go one key deeper; a call takes a whole path: `ref("lines[0].price")`. Use `[...]` for keys
    that start with an underscore, and for those that are not Python names.
    """

    __slots__ = ("_path",)

    _path: str

    def __init__(self, path: str) -> None:
        if "{" in path or "}" in path:
            raise ConfigurationError(f"A reference cannot have braces in its path: {path!r}.")
        self._path = path

    # Typed as Any: a reference stands for a value, so type checkers accept it wherever a value of any type is expected.

    def __getattr__(self, name: str) -> Any:
        # Called for missing names only. Python and notebooks look up names with an underscore themselves.
        if name.startswith("_"):
            raise AttributeError(f"For a key that starts with an underscore write [{name!r}].", name=name, obj=self)
        return Reference(f"{self._path}.{name}")

    def __getitem__(self, key: str | int | slice) -> Any:
        return Reference(self._path_of(key))

    def __call__(self, json_path: str | None = None) -> Any:
        """Returns the reference to `json_path` below this one; without a path, the reference itself."""
        return self._at(json_path)

    def _path_of(self, key: str | int | slice) -> str:
        return f"{self._path}{_step(key)}"

    def _at(self, json_path: str | None) -> Reference:
        return Reference(joined(self._path, json_path))

    # Without these, Python would iterate over [0], [1], [2] … for ever.
    __iter__ = None
    __contains__ = None

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self} has no value before the workflow runs: `if`, `and`, `or` and `not` cannot use"
            " it. Decide with a SwitchTask."
        )

    def __str__(self) -> str:
        return "${" + self._path + "}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __repr__(self) -> str:
        return f"Reference({str(self)!r})"

    def __add__(self, other: object) -> str:
        return f"{self}{other}" if isinstance(other, str | Reference) else NotImplemented

    def __radd__(self, other: object) -> str:
        return f"{other}{self}" if isinstance(other, str) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, str | Reference) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))


def secret(name: str) -> Any:
    """Returns a reference to a secret of the server: `${workflow.secrets.name}`.

    Workers get its value; the stored execution shows the expression. A path reads a part of a secret that holds JSON:
    `secret("database.password")`.
    """
    return _named("secrets", name)


def env(name: str) -> Any:
    """Returns a reference to a value of the server's environment: `${workflow.env.NAME}`.

    `conductor.env` or the server's variable CONDUCTOR_ENV_NAME sets it.
    """
    return _named("env", name)


def _named(root: str, name: str) -> Reference:
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(f"A workflow.{root} reference needs a name, not {name!r}.")
    return Reference(joined(f"workflow.{root}", name.strip()))


def joined(path: str, json_path: str | None) -> str:
    """Returns `path` followed by `json_path`, which may start with a dot or a bracket."""
    if not json_path:
        return path
    return f"{path}{json_path}" if json_path[0] in ".[" else f"{path}.{json_path}"


def _step(key: str | int | slice) -> str:
    if isinstance(key, slice):
        ends = ("" if end is None else str(end) for end in (key.start, key.stop))
        return f"[{':'.join(ends)}]"
    if isinstance(key, int):
        return f"[{key}]"
    if _BARE_KEY.fullmatch(key):
        return f".{key}"
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{quoted}']"


def plain(value: InputValue) -> InputValue:
    """Returns a copy in which every reference is text, and every model and input part is in its wire form."""
    return _copied(value, str)


def wire_form(value: InputValue) -> InputValue:
    """Returns a copy in which every model and input part is in its wire form, and references are kept."""
    return _copied(value, lambda reference: reference)


def _copied(value: InputValue, on_reference: Callable[[Reference], InputValue]) -> InputValue:
    if isinstance(value, Reference):
        return on_reference(value)
    if isinstance(value, Mapping):
        return {key: _copied(item, on_reference) for key, item in cast("Mapping[str, InputValue]", value).items()}
    if isinstance(value, list | tuple):
        return [_copied(item, on_reference) for item in cast("list[InputValue]", value)]
    return _copied(value.to_wire(), on_reference) if hasattr(value, "to_wire") else value
