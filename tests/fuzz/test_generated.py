"""The generator makes all that it promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from conductor_async.engine.rows.kind import known_types
from conductor_async.engine.task_kinds.services import SERVICE_TYPES
from tests.fuzz.generated import NOT_GENERATED, scenarios
from tests.fuzz.scenario import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzz.scenario import Scenario


@pytest.mark.thorough
def test_every_type_of_task_is_generated_or_has_a_reason_not_to_be() -> None:
    found: set[str] = set()

    @settings(
        max_examples=300,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios())
    def collect(scenario: Scenario) -> None:
        for definition in (scenario.definition, *scenario.workflow_definitions):
            found.update(kind for task in definition["tasks"] for kind in _types(task))

    collect()
    for_workers = {kind for kind in found if kind.startswith(PREFIX)}
    assert for_workers
    assert known_types() - {"USER_DEFINED"} == (found - for_workers) | NOT_GENERATED.keys() | set(SERVICE_TYPES)
    assert not (found & NOT_GENERATED.keys())


def _types(task: dict[str, Any]) -> Iterator[str]:
    """The types of a task and of all inside it."""
    yield task["type"]
    inside = [*task.get("forkTasks", []), *task.get("decisionCases", {}).values(), task.get("defaultCase", [])]
    definition = task.get("subWorkflowParam", {}).get("workflowDefinition", {})
    for tasks in (*inside, task.get("loopOver", []), definition.get("tasks", [])):
        for each in tasks:
            yield from _types(each)
