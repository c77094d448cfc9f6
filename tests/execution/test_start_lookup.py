"""Which executions count as started with a key, without any I/O."""

from __future__ import annotations

from conductor_async import Workflow
from conductor_async.execution._start_lookup import top_level


def execution(workflow_id: str, create_time: int, parent: str | None = None) -> Workflow:
    return Workflow(workflow_id=workflow_id, create_time=create_time, parent_workflow_id=parent)


def test_the_oldest_comes_first_and_sub_workflows_do_not_count():
    found = [execution("b", 2), execution("child", 0, "parent"), execution("a", 1), execution("c", 1)]
    assert [each.workflow_id for each in top_level(found)] == ["a", "c", "b"]
    assert top_level([execution("child", 0, "parent")]) == []
