"""Declares the fields of a task type once: its constructor, attributes and input parameters come from the class body.

```python
class Greeting(InputTask, task_type="GREETING"):
    language: str                                       # Greeting("ref", "en"); sent as inputParameters.language
    _: KW_ONLY
    max_words: int | None = field(default=None, key="maximum")      # Greeting("ref", "en", max_words=5)
```

Type checkers read the class body by the rules of dataclasses (PEP 681): the same order, `KW_ONLY` and `InitVar`. Unlike
`@dataclass`, a class compiles no constructor when it is defined, because there are many and imports would take longer.
"""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, dataclass_transform

from pydantic.alias_generators import to_camel

from conductor_async._camel_case import snake_case
from conductor_async.workflow.references import wire_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Converted", "field"]

MISSING: Any = object()

GivenT = TypeVar("GivenT", contravariant=True)
HeldT = TypeVar("HeldT", covariant=True)


class Converted(Generic[GivenT, HeldT]):
    """The type of a field that takes one type and returns another: `tasks: Converted[Composable, TaskSequence]`.

    It is for type checkers only: `field(convert=…)` does the conversion.
    """

    if TYPE_CHECKING:

        def __get__(self, task: object, owner: type[object]) -> HeldT: ...
        def __set__(self, task: object, value: GivenT) -> None: ...


@dataclass(slots=True)
class Field:
    """The declaration of a field. See `field()`."""

    default: Any = MISSING
    alias: str | None = None
    kw_only: bool = False
    init: bool = True
    key: str | None = None
    convert: Callable[[Any], Any] | None = None
    name: str = ""
    init_only: bool = False

    @property
    def is_option(self) -> bool:
        """Whether it is an input parameter that is absent unless it is given."""
        return self.key is not None and self.kw_only and self.default is None


def field(
    *,
    default: Any = MISSING,
    alias: str | None = None,
    kw_only: bool | None = None,
    init: bool = True,
    key: str | None = None,
    convert: Callable[[Any], Any] | None = None,
) -> Any:
    """Declares what the annotation of a field cannot: its default, conversion and names.

    Args:
        default: Its value if the constructor gets none. Without a default it is required.
        alias: The constructor's name for it.
        kw_only: The constructor takes it by keyword only. Default: whether it follows `_: KW_ONLY` in the class body.
        init: Whether the constructor takes it.
        key: The input parameter that it stands for. In an `InputTask` each field stands for one; there the default is
            the field's name in camelCase.
        convert: Makes the value that is kept from the one that was given.
    """
    return Field(default, alias, bool(kw_only), init, key, convert)


class Parameters(dict[str, Any]):
    """Several input parameters, by key: what the `convert` of a field returns that stands for more than one."""


class InputParameter:
    """An attribute that stands for an input parameter of the task. None removes the parameter."""

    __slots__ = ("_convert", "_key")

    def __init__(self, key: str, convert: Callable[[Any], Any] | None) -> None:
        self._key = key
        self._convert = convert

    def __get__(self, task: Any, owner: type[object]) -> Any:
        return self if task is None else task.input_parameters.get(self._key)

    def __set__(self, task: Any, value: Any) -> None:
        if self._convert is not None:
            value = self._convert(value)
        if isinstance(value, Parameters):
            task.input_parameters.update(value)
        elif value is None:
            task.input_parameters.pop(self._key, None)
        else:
            task.input_parameters[self._key] = wire_form(value)


class ConvertedAttribute:
    """An attribute that converts what it is set to. It is read from the instance, because there is no `__get__`."""

    __slots__ = ("_convert", "_name")

    def __init__(self, name: str, convert: Callable[[Any], Any]) -> None:
        self._name = name
        self._convert = convert

    def __set__(self, task: Any, value: Any) -> None:
        task.__dict__[self._name] = self._convert(value)


class _Signature:
    """The `__signature__` of a class, which `inspect.signature` and `help` read; computed on access."""

    def __get__(self, instance: object, owner: type[DeclaredFields]) -> inspect.Signature:
        fields: Mapping[str, Field] | None = getattr(owner.__init__, "declared_fields", None)
        if fields is None:  # a constructor written by hand
            signature = inspect.signature(owner.__init__)
            return signature.replace(parameters=list(signature.parameters.values())[1:])
        annotations = {name: kind for base in reversed(owner.__mro__) for name, kind in get_annotations(base).items()}
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        parameters = [
            inspect.Parameter(
                each.alias or each.name,
                kinds[each.kw_only],
                default=inspect.Parameter.empty if each.default is MISSING else each.default,
                annotation=_argument_type(annotations[each.name]) if each.init_only else annotations[each.name],
            )
            for each in fields.values()
            if each.init
        ]
        return inspect.Signature(sorted(parameters, key=lambda parameter: parameter.kind))


def _argument_type(init_only: Any) -> Any:
    """Returns X of `InitVar[X]`, which is text if annotations are postponed."""
    return init_only.removeprefix("InitVar[").removesuffix("]") if isinstance(init_only, str) else init_only.type


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class DeclaredFields:
    """The base of classes whose annotations are fields."""

    _fields_are_inputs: ClassVar[bool] = False
    _declared: ClassVar[Mapping[str, Field]] = {}
    _fields: ClassVar[dict[str, Field]] = {}
    _settable: ClassVar[frozenset[str]] = frozenset()
    __signature__: ClassVar[_Signature] = _Signature()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls._declared = _own_fields(cls)
        cls._fields = {}
        for base in reversed(cls.__mro__):
            cls._fields |= vars(base).get("_declared", {})
        properties = {name for name, member in vars(cls).items() if isinstance(member, property) and member.fset}
        cls._settable |= properties | {name for name, each in own.items() if not each.init_only}
        if "__init__" not in vars(cls) and own:
            type.__setattr__(cls, "__init__", _constructor(cls._fields))

    def _set_up(self, given: Mapping[str, Any]) -> None:
        """Is called at the end of the constructor, with the values of the `InitVar` fields by name."""

    @classmethod
    def _unknown_field(cls, name: str, known: Iterable[str]) -> str:
        """Returns the error message for a field that the class does not have."""
        near = difflib.get_close_matches(snake_case(name), sorted(known), n=1)
        return f"{cls.__name__} has no field {name!r}" + (f": did you mean {near[0]!r}?" if near else "")


def _own_fields(cls: type[DeclaredFields]) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    kw_only = False
    for name, annotation in get_annotations(cls).items():
        kind = str(annotation)
        if name.startswith("_") or "ClassVar" in kind:
            kw_only = kw_only or "KW_ONLY" in kind
            continue
        declared = vars(cls).get(name, MISSING)
        each = declared if isinstance(declared, Field) else Field(declared)
        each.name = name
        each.kw_only = each.kw_only or kw_only
        each.init_only = "InitVar" in kind
        if cls._fields_are_inputs and each.key is None and not each.init_only:
            each.key = to_camel(name)
        fields[name] = each
        _put_attribute(cls, each)
    return fields


def _put_attribute(cls: type[DeclaredFields], each: Field) -> None:
    if each.init_only:
        if each.name in vars(cls):
            delattr(cls, each.name)
    elif each.key is not None:
        setattr(cls, each.name, InputParameter(each.key, each.convert))
    elif each.convert is not None:
        setattr(cls, each.name, ConvertedAttribute(each.name, each.convert))
    elif each.default is not MISSING:
        setattr(cls, each.name, each.default)
    elif each.name in vars(cls):
        delattr(cls, each.name)


# -- the constructor ---------------------------------------------------------------------------------


def _constructor(fields: Mapping[str, Field]) -> Callable[..., None]:
    parameters = [each for each in fields.values() if each.init]
    positional = [each for each in parameters if not each.kw_only]
    by_keyword = {each.alias or each.name: each for each in parameters}
    defaults = {each.name: each.default for each in parameters if not each.is_option}
    # Input parameters are kept in a dict that is a field itself, so that comes first.
    attributes = [each.name for each in parameters if each.key is None and not each.init_only]
    init_only = [each.name for each in parameters if each.init_only]

    def __init__(self: DeclaredFields, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes the class's own
        values = {**defaults, **_bound(type(self), positional, by_keyword, args, kwargs)}
        if missing := [fields[name].alias or name for name, value in values.items() if value is MISSING]:
            raise TypeError(f"{type(self).__name__}() lacks {', '.join(map(repr, missing))}")
        for name in attributes:
            setattr(self, name, values.pop(name))
        given = {name: values.pop(name) for name in init_only}
        for name, value in values.items():
            if value is not None or fields[name].convert is not None:
                setattr(self, name, value)
        self._set_up(given)

    __init__.declared_fields = fields  # type: ignore[attr-defined]
    return __init__


def _bound(
    cls: type[DeclaredFields],
    positional: list[Field],
    by_keyword: Mapping[str, Field],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> dict[str, Any]:
    """The arguments by the names of their fields."""
    if len(args) > len(positional):
        raise TypeError(f"{cls.__name__}() takes {len(positional)} positional arguments, not {len(args)}")
    values = {each.name: value for each, value in zip(positional, args, strict=False)}
    for keyword, value in kwargs.items():
        each = by_keyword.get(keyword) or by_keyword.get(snake_case(keyword))
        if each is None:
            raise TypeError(cls._unknown_field(keyword, by_keyword))
        if each.name in values:
            raise TypeError(f"{cls.__name__}() got {each.alias or each.name!r} twice")
        values[each.name] = value
    return values
