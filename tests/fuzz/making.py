"""A definition in the making: how many tasks it has, which can be referred to, and the makers of tasks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st

from tests.fuzz.scenario import PREFIX
from tests.fuzz.values import ATTRIBUTES, OUTCOMES, VALUES, WORKFLOW_PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = Any
Task = dict[str, Any]

_MOST_TASKS = 14


class Making:
    """One definition being made, and those that belong to it.

    Attributes:
        count: How many tasks there are.
        forks: How many forks are around the task that is made.
        alone: Whether nothing beside it may go on by itself: who of two would be the first is not known.
        repeats: Whether it is in a loop that may come to a second iteration: the server cannot count a loop in there.
    """

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.count = 0
        self.forks = 0
        self.alone = True
        self.repeats = False
        self.behaviours: dict[str, list[dict[str, Any]]] = {}
        self.task_definitions: list[dict[str, Any]] = []
        self.workflow_definitions: list[dict[str, Any]] = []

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def chance(self, of: int) -> bool:
        return self.draw(st.integers(1, of)) == of

    @contextmanager
    def branch(self, *, alone: bool) -> Iterator[None]:
        """What is made meanwhile runs beside other tasks. Only one of several branches may be alone."""
        before, self.alone = self.alone, self.alone and alone
        self.forks += 1
        yield
        self.forks -= 1
        self.alone = before

    @contextmanager
    def loop(self, *, repeats: bool) -> Iterator[None]:
        """What is made meanwhile is in a loop."""
        before, self.repeats = self.repeats, self.repeats or repeats
        yield
        self.repeats = before

    # -- expressions -------------------------------------------------------------------------

    def expression(self, known: list[str]) -> Json:
        sources = list(WORKFLOW_PATHS)
        if known:
            sources += [f"{self.pick(known)}.{self.pick(ATTRIBUTES)}" for _ in range(6)]
        sources += ["workflow.variables.v", "workflow.variables.x"]
        source = self.pick(sources)
        return self.pick(
            [
                f"${{{source}}}",
                f"${{{source}}}",
                f"x-${{{source}}}",
                f"${{workflow.status}} ${{{source}}}",
                [f"${{{source}}}"],
                {"k": f"${{{source}}}"},
                f"$${{{source}}}",
            ]
        )

    def value(self, known: list[str]) -> Json:
        return self.draw(VALUES) if self.chance(3) else self.expression(known)

    def inputs(self, known: list[str], *names: str) -> dict[str, Any]:
        given = {name: self.value(known) for name in names}
        return given | {"n": self.pick(["${workflow.input.n}", 2])}

    # -- tasks -------------------------------------------------------------------------------

    def sequence(self, known: list[str], depth: int, longest: int = 3) -> list[Task]:
        """Tasks in a row. What they are called is known afterwards."""
        tasks: list[Task] = []
        for _ in range(self.draw(st.integers(1, longest))):
            if self.count > _MOST_TASKS:
                break
            tasks += self.step(known, depth)
        return tasks or [self.task("NOOP", known)]

    def step(self, known: list[str], depth: int) -> list[Task]:
        makers = [
            maker
            for maker in _makers
            if (depth > 0 or not maker.nests)
            and (self.alone or not maker.moves_by_itself)
            and not (self.repeats and maker.loops)
        ]
        make = self.pick([maker.make for maker in makers for _ in range(maker.weight)])
        made = make(self, known, depth)
        return made if isinstance(made, list) else [made]

    def task(self, kind: str, known: list[str], **fields: Any) -> Task:
        self.count += 1
        ref = f"t{self.count}"
        known.append(ref)
        return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}

    def may_fail(self, made: Task) -> Task:
        """Some tasks may fail without consequences, some are tried again."""
        if self.chance(6):
            made[self.pick(["optional", "permissive"])] = True
        if self.chance(6):
            made["retryCount"] = self.draw(st.integers(0, 1))
        return made

    def defined(self, made: Task) -> Task:
        """Some tasks that the server runs itself have a definition all the same."""
        if self.chance(5):
            made["name"] = self.definition(made["taskReferenceName"])
        return self.may_fail(made)

    def definition(self, ref: str) -> str:
        """The name of a new task definition."""
        name = f"{PREFIX}_{ref}"
        definition: dict[str, Any] = {"name": name, "retryCount": self.draw(st.integers(0, 2)), "retryDelaySeconds": 0}
        if self.chance(4):
            definition["inputTemplate"] = {"x": "from the template", "t": 1}
        self.task_definitions.append(definition)
        return name

    def worker_name(self, ref: str, *, key: str | None = None) -> str:
        """The name of a new task type, with a definition and something for its workers to do."""
        name = self.definition(ref)
        behaviours = self.draw(st.lists(OUTCOMES, min_size=1, max_size=3))
        for outcome in behaviours:
            if outcome["status"] == "IN_PROGRESS" and self.forks:
                outcome.pop("output", None)  # a JOIN may see that output or not: a race inside the server
        self.behaviours[key or ref] = behaviours
        return name


# -- makers of tasks -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Maker:
    make: Callable[[Making, list[str], int], Task | list[Task]]
    weight: int
    nests: bool
    moves_by_itself: bool
    loops: bool


_makers: list[_Maker] = []
_Make = TypeVar("_Make", bound="Callable[[Making, list[str], int], Any]")


def maker(
    weight: int = 1, *, nests: bool = False, moves_by_itself: bool = False, loops: bool = False
) -> Callable[[_Make], _Make]:
    """Registers a function that makes a task, or one and what has to follow it.

    Args:
        weight: How often it is taken.
        nests: Whether there are tasks inside.
        moves_by_itself: Whether it goes on at some time later without anybody's help.
        loops: Whether it does the same several times.
    """

    def register(make: _Make) -> _Make:
        _makers.append(_Maker(make, weight, nests, moves_by_itself, loops))
        return make

    return register
