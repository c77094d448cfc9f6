"""Generated workflows of all types that both sides run, and what their workers do.

Not generated, because the sides are known to differ there (docs/reference/embedded-differences.md):

- tasks that go on by themselves in more than one branch of a fork (requests, waits with an end, nested joins,
  workflows that need no worker), as nobody knows which is the first;
- a loop in a loop that comes to a second iteration: on the server that can go on for ever;
- output that a task in a fork reports while it is in progress;
- `${workflow.status}` as a whole, which scripts of the server see as an object;
- the types in `NOT_GENERATED`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.fuzz import leaves, nested
from tests.fuzz.making import Making
from tests.fuzz.scenario import PREFIX, Scenario
from tests.fuzz.values import INPUT, OBJECTS

__all__ = ["NOT_GENERATED", "leaves", "nested", "scenarios"]

NOT_GENERATED = {
    "PULL_WORKFLOW_MESSAGES": "the real server has messages only when it is told to",
}
"""Types of tasks that cannot be compared, with the reason; besides those that need services, such as KAFKA_PUBLISH."""


@st.composite
def scenarios(draw: Any) -> Scenario:
    making = Making(draw)
    known: list[str] = []
    tasks = making.sequence(known, depth=2, longest=4)
    definition: dict[str, Any] = {"name": f"{PREFIX}_flow", "version": 1, "schemaVersion": 2, "tasks": tasks}
    if making.chance(2):
        definition["outputParameters"] = {"o": making.value(known), "p": making.value(known)}
    if making.chance(6):
        definition["variables"] = {"v": draw(OBJECTS)}
    if making.chance(6):
        definition["inputTemplate"] = {"a": "from the template", "t": 1}
    if making.chance(6):
        definition["failureWorkflow"] = _after_failure(making) if making.chance(2) else f"{PREFIX}_unheard_of"
    return Scenario(definition, making.task_definitions, draw(INPUT), making.behaviours, making.workflow_definitions)


def _after_failure(making: Making) -> str:
    name = f"{PREFIX}_after"
    task = {"name": "sv", "taskReferenceName": "sv", "type": "SET_VARIABLE"}
    task |= {"inputParameters": {"x": "${workflow.input.failureStatus}"}}
    making.workflow_definitions.append({"name": name, "version": 1, "schemaVersion": 2, "tasks": [task]})
    return name
