"""Tells whether a workflow is still what it was, at a cost that hardly grows with its size.

Describing and validating a workflow takes some 200 µs for each task: too much for each start. So is a comparison of all
values. A snapshot does less:

- Workflows and tasks count assignments to their attributes (`TracksAssignments`), and input parameters their changes
  (`TrackedDict`). If nothing was counted in the whole process, one comparison of two integers says so.
- The containers and models in them belong to the user, and may change at any time. They are compared with shallow
  copies. Python compares elements by identity first, so that takes some 50 ns for each container.

What can change in other ways, such as a task class of the user's own that computes its fields, has no snapshot.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from conductor_async._type_guards import class_of
from conductor_async.workflow.references import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Snapshot", "TrackedDict", "TracksAssignments"]

_IMMUTABLE = (str, int, float, bool, type(None), bytes, Reference, timedelta, date, enum.Enum)
_assignments = operator.attrgetter("_assignments")


class _Clock:
    """Counts all changes in this process that are tracked."""

    now = 0


class TracksAssignments:
    """Counts how often an attribute of the object was assigned or deleted.

    Attributes in the `_untracked` of a class or its bases do not count: the definition does not depend on them.
    """

    _untracked: ClassVar[frozenset[str]] = frozenset({"__orig_class__"})
    _assignments: int = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._untracked = frozenset().union(*(vars(base).get("_untracked", ()) for base in cls.__mro__))

    if not TYPE_CHECKING:  # type checkers would take it for leave to set anything

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name not in self._untracked:
                self._count()

        def __delattr__(self, name: str) -> None:
            super().__delattr__(name)
            self._count()

    def _count(self) -> None:
        vars(self)["_assignments"] = self._assignments + 1
        _Clock.now += 1

    def watched_parts(self) -> Iterable[object]:
        """Returns what the object is made of."""
        return [value for name, value in vars(self).items() if name not in self._untracked]


class TrackedDict(dict[str, Any]):
    """A dict whose changes are noticed."""

    if not TYPE_CHECKING:

        def _tracking(method: Any) -> Any:  # noqa: N805 - it decorates the methods below

            @functools.wraps(method)
            def changed(self: TrackedDict, *args: Any, **kwargs: Any) -> Any:
                _Clock.now += 1
                return method(self, *args, **kwargs)

            return changed

        __setitem__ = _tracking(dict.__setitem__)
        __delitem__ = _tracking(dict.__delitem__)
        __ior__ = _tracking(dict.__ior__)
        clear = _tracking(dict.clear)
        pop = _tracking(dict.pop)
        popitem = _tracking(dict.popitem)
        setdefault = _tracking(dict.setdefault)
        update = _tracking(dict.update)
        del _tracking


class Snapshot:
    """Remembers a workflow as it is now.

    Args:
        root: The workflow.

    Raises:
        TypeError: A part of the workflow can change without notice. Use `of`, which returns None then.
    """

    def __init__(self, root: TracksAssignments) -> None:
        self._root = root
        self._objects: list[TracksAssignments] = []
        self._tracked: list[TrackedDict] = []
        self._untracked: list[Any] = []
        seen: dict[int, object] = {}  # keeps the objects alive, so that their ids stay theirs
        pending: list[object] = [root]
        while pending:
            part = pending.pop()
            if not isinstance(part, _IMMUTABLE) and id(part) not in seen:
                seen[id(part)] = part
                pending.extend(self._watch(part))
        self._clock = _Clock.now
        self._counts = list(map(_assignments, self._objects))
        self._copies = [each.copy() for each in self._untracked]
        self._tracked_copies = [each.copy() for each in self._tracked]

    @classmethod
    def of(cls, root: TracksAssignments) -> Snapshot | None:
        """Returns a snapshot of the workflow; None if a part of it can change without notice."""
        try:
            return cls(root)
        except TypeError:
            return None

    def is_current(self, root: TracksAssignments) -> bool:
        """Returns whether this is a snapshot of that workflow, and nothing in it has changed since."""
        if self._root is not root or self._untracked != self._copies:
            return False
        if self._clock != (now := _Clock.now):  # something has changed, but maybe in another workflow
            if list(map(_assignments, self._objects)) != self._counts or self._tracked != self._tracked_copies:
                return False
            self._clock = now
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        return _no_snapshot, ()  # it is one of these very objects: their copies have none

    def _watch(self, part: Any) -> Iterable[object]:
        """Watches one part; returns what it is made of in turn."""
        kind = class_of(part)
        if isinstance(part, TracksAssignments):
            if not kind.__module__.startswith("conductor_async."):
                raise TypeError(f"{kind.__name__} may compute its fields.")
            self._objects.append(part)
            return part.watched_parts()
        if isinstance(part, BaseModel):
            # Of the fields, only those that were set are sent.
            return [vars(part), part.model_fields_set, part.model_extra]
        if kind is TrackedDict:
            self._tracked.append(part)
            return part.values()  # type: ignore[no-any-return]
        if kind is tuple:
            return part  # type: ignore[no-any-return]
        if kind is dict or kind is list or kind is set:
            self._untracked.append(part)
            return part.values() if kind is dict else part  # type: ignore[no-any-return]
        if dataclasses.is_dataclass(part):
            return [vars(part)]
        if hasattr(part, "steps"):  # a sequence of tasks, which is immutable
            return part.steps()  # type: ignore[no-any-return]
        raise TypeError(f"{kind.__name__} may change without notice.")


def _no_snapshot() -> None:
    return None
